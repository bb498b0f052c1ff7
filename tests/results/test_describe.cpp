#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdlib>

#include "core/error.hpp"
#include "record.hpp"
#include "results/describe.hpp"

namespace timbre::results {
namespace {

using storage::H5File;
using test::bytes_of;
using test::message_of;
using test::TemporaryFolder;

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

TEST(Describe, BeginsWithTheHeadlineAndItsStamps) {
  auto r = example_record();
  r.synthetic = true;
  const auto text = describe_result(r);
  EXPECT_EQ(text.substr(0, text.find("\nHistory")),
            "lstm, seed 7: finished on cpu\n"
            "SYNTHETIC: generated sounds, not music; the figures say nothing about genres\n"
            "LEAKS: 75.0% of the test clips have segments in the training part; the figures are too good\n"
            "  clip accuracy     100.0%   3 of 3 clips, 95% interval 43.9 to 100.0%, macro F1 1.000\n"
            "  segment accuracy   75.0%   3 of 4 segments, macro F1 0.833, loss 0.848\n"
            "  validation, clips 100.0%   2 of 2 clips, macro F1 1.000\n"
            "    segments        100.0%   2 of 2 segments, macro F1 1.000, loss 0.458\n"
            "  calibration        0.400   expected calibration error of clip probabilities; 0.415 if they "
            "were calibrated; Brier score 0.287\n"
            "  epochs                 3   best 2, weights of epoch 2, stopped early, trained in 13 s, "
            "predicted in 0.2 s\n"
            "  parameters        214,954\n");
}

TEST(Describe, ShowsGenresConfusionsAndBadFiles) {
  const auto text = describe_result(example_record());
  EXPECT_TRUE(has(text,
                  "  genre  clips  right  recall  segments: precision  recall     F1\n"
                  "  blues      0      0       -                0.000   0.000  0.000\n"
                  "  jazz       2      2  100.0%                1.000   1.000  1.000\n"
                  "  rock       1      1  100.0%                1.000   0.500  0.667\n"))
      << text;
  EXPECT_TRUE(has(text,
                  "  true \\ taken for  blues  jazz  rock\n"
                  "  blues                 .     .     .\n"
                  "  jazz                  .     2     .\n"
                  "  rock                  .     .     1\n"))
      << text;
  EXPECT_TRUE(has(text, "Bad files: 1\n  jazz/jazz.00054.wav: is not audio\n")) << text;
  EXPECT_TRUE(has(text, "  group_by: segment\n")) << text;
  EXPECT_TRUE(has(text, "unknown (the data name no artists)")) << text;
}

TEST(Describe, LongNamesDoNotWidenTheConfusionTable) {
  auto r = example_record();
  for (auto& name : r.label_names) name = std::string(40, 'x') + name;
  EXPECT_TRUE(has(describe_result(r), "jazz   .  2  .\n")) << describe_result(r);
}

TEST(Describe, WithoutLeaksThereIsNoStamp) {
  auto r = example_record();
  r.split.leaks = false;
  EXPECT_FALSE(has(describe_result(r), "LEAKS"));
  EXPECT_FALSE(has(describe_result(r), "SYNTHETIC"));
  EXPECT_EQ(stamps(r), "");
}

TEST(Describe, AnUnfinishedRunSaysSo) {
  RunRecord r;
  r.experiment = "mlp", r.status = "diverged", r.message = "the loss became NaN in epoch 1";
  const auto text = describe_result(r);
  EXPECT_TRUE(has(text, "mlp, seed 0: diverged on cpu: the loss became NaN in epoch 1\nDIVERGED")) << text;
  EXPECT_TRUE(has(text, "not scored on the test part")) << text;
}

TEST(Describe, ALongHistoryIsSelectedWithItsBestEpoch) {
  auto r = example_record();
  r.history = {};
  for (int e = 1; e <= 150; ++e) {
    r.history.epoch.push_back(e);
    for (auto* column : {&r.history.loss, &r.history.accuracy, &r.history.val_loss, &r.history.val_accuracy,
                         &r.history.learning_rate, &r.history.seconds})
      column->push_back(1.0 / e);
  }
  r.best_epoch = 77;
  const auto lines = [](const std::string& text) {
    const auto from = text.find("\nHistory"), to = text.find("\nSplit");
    return std::count(text.begin() + long(from), text.begin() + long(to), '\n');
  };
  const auto text = describe_result(r);
  EXPECT_LE(lines(text), 15);
  EXPECT_TRUE(has(text, "best\n")) << text;
  EXPECT_TRUE(has(text, "\n    150  ")) << text;
  EXPECT_GE(lines(describe_result(r, {.all = true})), 151);
}

TEST(Describe, ManyClassesShowTheirMostFrequentConfusions) {
  auto r = example_record();
  r.label_names.clear();
  std::vector<std::int32_t> label, clip;
  std::vector<std::string> paths;
  std::vector<float> p;
  for (int c = 0; c < 20; ++c) {
    r.label_names.push_back("genre" + std::to_string(c));
    label.push_back(c), clip.push_back(c), paths.push_back("x");
    for (int k = 0; k < 20; ++k) p.push_back(k == (c + 1) % 20 ? 0.5f : 0.5f / 19);
  }
  r.validation.reset();
  r.test = evaluate(p, label, clip, clip, paths);
  EXPECT_TRUE(has(describe_result(r),
                  "Most frequent confusions (test clips)\n  true     taken for  clips\n"
                  "  genre0   genre1         1\n"))
      << describe_result(r);
}

TEST(Describe, FeaturesShowShapeParametersAndLabels) {
  const TemporaryFolder folder;
  {
    auto file = H5File::create(folder / "features.h5");
    file.write("/features", std::vector<float>(5 * 4 * 2), {5, 4, 2});
    file.write("/label", std::vector<std::int32_t>{0, 0, 1, 1, 1}, {5});
    file.write("/clip", std::vector<std::int32_t>{0, 0, 1, 2, 2}, {5});
    file.write("/segment", std::vector<std::int32_t>{0, 1, 0, 0, 1}, {5});
    file.write_texts("/clips/path", {"blues/a.wav", "jazz/b.wav", "jazz/c.wav"});
    file.write_texts("/label_names", {"blues", "jazz"});
    file.write_texts("/bad_files/path", {"jazz/d\n.wav"});
    file.write_texts("/bad_files/reason", {"is empty"});
    file.attribute("/", "kind", "mfcc");
    file.attribute("/", "n_fft", std::int64_t{2048});
    file.close();
  }
  EXPECT_EQ(describe_file(folder / "features.h5"),
            "features of 5 segments of 3 clips: (4, 2) each, float32, 0.0 MB\n"
            "\nParameters\n"
            "  kind                  mfcc\n"
            "  n_fft                 2048\n"
            "\nLabels\n"
            "  label  clips  segments\n"
            "  blues      1         2\n"
            "  jazz       2         3\n"
            "\nBad files: 1\n"
            "  jazz/d\\x0a.wav: is empty\n");
}

TEST(Describe, OtherFilesAreRefused) {
  const TemporaryFolder folder;
  H5File::create(folder / "other.h5").close();
  EXPECT_EQ(message_of<RequestError>([&] { describe_file(folder / "other.h5"); }),
            (folder / "other.h5").string() + ": is an HDF5 file, but neither a result nor features");
  EXPECT_NE(message_of<RequestError>([&] { describe_file(TIMBRE_TEST_DATA "/results_cnn.h5"); }), "no error");
}

// The command itself, where it was built.
class InspectCommand : public testing::Test {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists(TIMBRE_BIN_DIR "/inspect")) GTEST_SKIP() << "inspect is not built";
  }
  int run(const std::string& arguments) {
    const auto command = fmt::format("{}/inspect {} > {} 2> {}", TIMBRE_BIN_DIR, arguments,
                                     (folder_ / "out").string(), (folder_ / "err").string());
    const int status = std::system(command.c_str());
    out_ = bytes_of(folder_ / "out"), err_ = bytes_of(folder_ / "err");
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }
  TemporaryFolder folder_;
  std::string out_, err_;
};

TEST_F(InspectCommand, ShowsAResultAndItsConfiguration) {
  const auto result = folder_ / "result.h5";
  write_result(result, example_record());
  EXPECT_EQ(run(result.string()), 0);
  EXPECT_EQ(out_, describe_file(result));
  EXPECT_EQ(run(result.string() + " --config"), 0);
  EXPECT_EQ(out_, example_record().config);
  EXPECT_EQ(run("--help"), 0);
  EXPECT_TRUE(has(out_, "Usage: inspect"));
}

TEST_F(InspectCommand, EndsWithOneLineForWhatItCannotShow) {
  const auto text = (folder_ / "a.txt").string(), missing = (folder_ / "none.h5").string();
  std::ofstream(text) << "hello";
  EXPECT_EQ(run(missing), 2);
  EXPECT_EQ(err_, "inspect: " + missing + ": no such file\n");
  EXPECT_EQ(run(text), 2);
  EXPECT_EQ(err_, "inspect: " + text + ": is not an HDF5 file\n");
  EXPECT_EQ(run(""), 2);
  const auto result = folder_ / "result.h5";
  write_result(result, example_record());
  std::filesystem::resize_file(result, std::filesystem::file_size(result) / 2);
  EXPECT_EQ(run(result.string()), 1);
  EXPECT_EQ(std::count(err_.begin(), err_.end(), '\n'), 1) << err_;
  EXPECT_EQ(out_, "");
}

}  // namespace
}  // namespace timbre::results
