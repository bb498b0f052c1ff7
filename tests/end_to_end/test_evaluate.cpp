// evaluate scores a finished network on another labelled set.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <memory>
#include <set>

#include "end_to_end/melody.hpp"
#include "end_to_end/process.hpp"
#include "end_to_end/small_run.hpp"
#include "results/run_record.hpp"

namespace timbre::end_to_end {
namespace {

namespace fs = std::filesystem;

class Evaluate : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = std::make_unique<TemporaryFolder>();
    write_small_run(*folder_ / "small.yaml", "mlp");
    ASSERT_EQ(go("run_experiment", {"small.yaml", "--out", "model"}).status, 0);
  }
  static void TearDownTestSuite() { folder_.reset(); }
  static Outcome go(const std::string& tool, std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), std::string(TIMBRE_BIN_DIR) + "/" + tool);
    return run_process(arguments, {.folder = folder_->path()});
  }
  static std::unique_ptr<TemporaryFolder> folder_;
};
std::unique_ptr<TemporaryFolder> Evaluate::folder_;

TEST_F(Evaluate, OnItsOwnTestClipsGivesTheSameProbabilities) {
  // Every clip of the data it was trained on, the test clips among them.
  const auto o = go("evaluate", {"model/result.h5", "--data", "small.yaml", "-o", "all.h5"});
  ASSERT_EQ(o.status, 0) << o.err;
  EXPECT_NE(o.out.find("result: all.h5"), o.out.npos) << o.out;
  const auto own = results::read_result(*folder_ / "model/result.h5");
  const auto all = results::read_result(*folder_ / "all.h5");
  ASSERT_TRUE(own.test && all.test);
  EXPECT_FALSE(all.validation);
  const auto classes = std::size_t(own.test->classes());
  for (std::size_t i = 0; i < own.split.test.size(); ++i) {
    const auto row = std::size_t(own.split.test[i]);
    for (std::size_t c = 0; c < classes; ++c)
      ASSERT_EQ(own.test->probabilities[i * classes + c], all.test->probabilities[row * classes + c]);
    ASSERT_EQ(own.test->label[i], all.test->label[row]);
  }
  EXPECT_NE(all.key, own.key);
  EXPECT_EQ(all.scores.looks.at(0).by, "evaluate");
}

TEST_F(Evaluate, TakesAFolderAndLeavesOutWhatItDoesNotKnow) {
  int rate = 16000;
  for (const auto* genre : {"synthetic_march", "synthetic_pluck", "noise"})
    for (int i = 0; i < 3; ++i, rate += 500)
      ASSERT_TRUE(write_audio(*folder_ / "mine" / genre / fmt::format("{}.wav", i),
                              SF_FORMAT_WAV | SF_FORMAT_PCM_16, rate, 1, 6.5));
  const auto o = go("evaluate", {"model/result.h5", "--data", "mine", "-o", "mine.h5"});
  ASSERT_EQ(o.status, 0) << o.err;
  EXPECT_NE(o.err.find("left out, since the network does not know their labels: noise (3 clips)"), o.err.npos)
      << o.err;
  EXPECT_NE(o.out.find(" of 6 clips, segment accuracy "), o.out.npos) << o.out;
  const auto r = results::read_result(*folder_ / "mine.h5");
  EXPECT_EQ(r.label_names.size(), 10u);
  std::set<std::string> labels;
  for (const auto label : r.test->label) labels.insert(r.label_names[std::size_t(label)]);
  EXPECT_EQ(labels, (std::set<std::string>{"synthetic_march", "synthetic_pluck"}));
  // A result like any other: it predicts, is inspected, and reports hold it.
  EXPECT_EQ(go("predict", {"mine.h5", "mine/noise/0.wav"}).status, 0);
  EXPECT_NE(go("inspect", {"mine.h5"}).out.find("evaluated_on"), std::string::npos);
  const auto report = go("make_report", {"model/result.h5", "mine.h5", "-o", "both.html"});
  EXPECT_EQ(report.status, 0) << report.err;
  EXPECT_TRUE(fs::exists(*folder_ / "both.html"));
}

TEST_F(Evaluate, RefusesANetworkThatDoesNotFitItsFeatures) {
  auto own = results::read_result(*folder_ / "model/result.h5");
  own.feature_mean.resize(3), own.feature_std.resize(3);
  results::write_result(*folder_ / "unfit.h5", own);
  const auto o = go("evaluate", {"unfit.h5", "--data", "small.yaml", "-o", "never.h5"});
  EXPECT_EQ(o.status, 1);
  EXPECT_NE(o.err.find("unfit.h5: its standardisation does not fit its features"), o.err.npos) << o.err;
  EXPECT_FALSE(fs::exists(*folder_ / "never.h5"));
}

TEST_F(Evaluate, RefusesWhatItCannotScore) {
  ASSERT_TRUE(write_audio(*folder_ / "other/a/0.wav", SF_FORMAT_WAV | SF_FORMAT_PCM_16, 22050, 1, 4));
  ASSERT_TRUE(write_audio(*folder_ / "other/b/0.wav", SF_FORMAT_WAV | SF_FORMAT_PCM_16, 22050, 1, 5));
  write_file(*folder_ / "none.yaml", "experiment: x\n");
  for (const auto& [data, words] : std::vector<std::pair<std::string, std::string>>{
           {"other",
            "other: has no label that the network knows; its labels: a, b; the network's: synthetic_"},
           {"nowhere", "there is no folder at "},
           {"nowhere.csv", "there is no file at "},
           {"none.yaml", "none.yaml: has no dataset"}}) {
    const auto o = go("evaluate", {"model/result.h5", "--data", data, "-o", "never.h5"});
    EXPECT_EQ(o.status, 2) << data;
    EXPECT_NE(o.err.find(words), o.err.npos) << o.err;
    EXPECT_EQ(line_count(o.err), 1u) << o.err;
    EXPECT_FALSE(fs::exists(*folder_ / "never.h5"));
  }
}

}  // namespace
}  // namespace timbre::end_to_end
