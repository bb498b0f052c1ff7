// Augmentation, clipping, averaged weights, and networks that begin with another one's weights, from the commands.
#include <gtest/gtest.h>

#include <algorithm>

#include "end_to_end/process.hpp"
#include "end_to_end/small_run.hpp"
#include "results/run_record.hpp"

namespace timbre::end_to_end {
namespace {

namespace fs = std::filesystem;

class Augmentation : public testing::Test {
 protected:
  void SetUp() override { write_small_run(folder / "small.yaml", "cnn"); }
  Outcome train(const std::string& out, std::vector<std::string> settings, const std::string& threads = "1") {
    std::vector<std::string> arguments{
        command("run_experiment"), "small.yaml", "--out", out, "--threads", threads};
    for (auto& s : settings) arguments.push_back("--set"), arguments.push_back(std::move(s));
    return run_process(arguments, {.folder = folder.path()});
  }
  results::RunRecord record(const std::string& out) {
    return results::read_result(folder / out / "result.h5");
  }

  TemporaryFolder folder;
};

TEST_F(Augmentation, OfEveryKindGivesTheSameBytesAgainAndIsReproduced) {
  const std::vector<std::string> all{
      "augmentation={features: {mixup: {alpha: 0.4}, spec_augment: {time_width: 9, frequency_width: 2}, "
      "crop: "
      "{frames: 100}}, waveform: {copies: 2, gain: {}, noise: {}, time_shift: {}, polarity: {}}}",
      "training.gradient_clipping={global_norm: 0.5}", "training.ema={momentum: 0.9}",
      "training.early_stopping={monitor: val_clip_accuracy, patience: 5}", "training.epochs=3"};
  const auto first = train("first", all);
  ASSERT_EQ(first.status, 0) << first.err;
  const auto r = record("first");
  ASSERT_EQ(r.history.gradient_norm.size(), 3u);
  EXPECT_TRUE(std::ranges::all_of(r.history.gradient_norm, [](double v) { return v > 0; }));
  ASSERT_EQ(r.history.val_clip_accuracy.size(), 3u);
  EXPECT_EQ(r.history.val_clip_accuracy[std::size_t(r.weights_epoch - 1)], r.validation->clips.accuracy);
  EXPECT_NE(r.model_config.find("Cropping1D"), std::string::npos);
  EXPECT_EQ(train("again", all, "3").status, 0);
  EXPECT_EQ(record("again").weights, r.weights);
  const auto again = run_process({command("reproduce"), "first/result.h5"}, {.folder = folder.path()});
  EXPECT_EQ(again.status, 0) << again.err << again.out;
  EXPECT_TRUE(again.out.starts_with("the same to the last bit: 3 epochs")) << again.out;
  for (const char* what : {"features", "waveform"}) {
    const auto other = train(what, {"augmentation={" + std::string(what) + ": {" +
                                    (what == std::string("features") ? "mixup: {}" : "gain: {}") + "}}"});
    ASSERT_EQ(other.status, 0) << other.err;
    EXPECT_EQ(record(what).split.validation, r.split.validation);
    EXPECT_NE(record(what).key, r.key);
  }
}

/// Alone a run has its copies in memory; runs of a study read them from the store, which they share.
TEST_F(Augmentation, RunsOfAStudyWithCopiesGiveTheBytesOfARunAlone) {
  const std::string copies = "augmentation={waveform: {copies: 2, gain: {}, noise: {}}}";
  ASSERT_EQ(train("alone", {copies, "seed=1"}).status, 0);
  write_file(folder / "study.yaml", "study: copies\nruns: [small.yaml]\nseeds: [0, 1]\n");
  const auto study =
      run_process({command("run_study"), "study.yaml", "--set", copies, "--jobs", "2", "--out", "study"},
                  {.folder = folder.path()});
  ASSERT_EQ(study.status, 0) << study.err;
  std::vector<results::RunRecord> seeds;
  for (const auto& run : fs::directory_iterator(folder / "study/runs"))
    if (auto r = results::read_result(run.path() / "result.h5"); r.seed == 1) seeds.push_back(std::move(r));
  ASSERT_EQ(seeds.size(), 1u);
  EXPECT_EQ(seeds[0].key, record("alone").key);
  EXPECT_EQ(seeds[0].weights, record("alone").weights);
}

TEST_F(Augmentation, SpecAugmentHasOneKeyAtEitherPlace) {
  ASSERT_EQ(train("short", {"augmentation={spec_augment: {time_width: 9}}"}).status, 0);
  ASSERT_EQ(train("long", {"augmentation={features: {spec_augment: {time_width: 9}}}"}).status, 0);
  EXPECT_EQ(record("short").key, record("long").key);
  EXPECT_EQ(record("short").weights, record("long").weights);
}

TEST_F(Augmentation, ANetworkBeginsWithAnothersWeightsAndFrozenLayersKeepThem) {
  ASSERT_EQ(train("first", {}).status, 0);
  const auto second =
      train("second", {"initialise_from=first/result.h5", "freeze=[conv2d, batch_normalization]"});
  ASSERT_EQ(second.status, 0) << second.err;
  EXPECT_NE(second.err.find("begins with the weights of conv2d, batch_normalization, dense from "),
            std::string::npos)
      << second.err;
  const auto a = record("first"), b = record("second");
  ASSERT_EQ(a.weights.size(), b.weights.size());
  for (std::size_t i = 0; i < a.weights.size(); ++i)
    EXPECT_EQ(a.weights[i].data == b.weights[i].data, a.weights[i].layer != "dense") << a.weights[i].layer;
  EXPECT_EQ(b.trainable_parameters, a.trainable_parameters - 40 - 8);  // conv2d, gamma and beta
  const auto again = run_process({command("reproduce"), "second/result.h5"}, {.folder = folder.path()});
  EXPECT_EQ(again.status, 0) << again.err << again.out;
  // Other weights in the file are another run.
  ASSERT_EQ(train("first", {"seed=4"}, "1").status, 2);
  ASSERT_EQ(train("other", {"seed=4"}).status, 0);
  ASSERT_EQ(
      train("third", {"initialise_from=other/result.h5", "freeze=[conv2d, batch_normalization]"}).status, 0);
  EXPECT_NE(record("third").key, b.key);

  const auto refused = [&](std::vector<std::string> settings) {
    const auto o = train("refused", std::move(settings));
    EXPECT_EQ(o.status, 2) << o.err;
    EXPECT_EQ(std::ranges::count(o.err, '\n'), 1) << o.err;
    return o.err;
  };
  EXPECT_NE(refused({"freeze=[conv2]"}).find("there is no layer 'conv2'; did you mean 'conv2d'?"),
            std::string::npos);
  EXPECT_NE(refused({"initialise_from=nothing.h5"}).find("initialise_from"), std::string::npos);
  EXPECT_NE(refused({"initialise_from=first/result.h5", "model[0].conv2d.filters=5"})
                .find("the shapes of layers of the same name differ: conv2d has kernel (3, 3, 1, 4), here "
                      "kernel (3, 3, "
                      "1, 5)"),
            std::string::npos);
  EXPECT_NE(refused({"augmentation={features: {crop: {frames: 999}}}"})
                .find("999 frames do not fit into a segment of"),
            std::string::npos);
}

}  // namespace
}  // namespace timbre::end_to_end
