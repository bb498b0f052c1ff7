// What a result says beside its two scored parts comes back from the file, and inspect shows it.
#include <gtest/gtest.h>

#include "record.hpp"
#include "results/describe.hpp"

namespace timbre::results {
namespace {

using test::message_of;
using test::TemporaryFolder;

RunRecord scored_record() {
  auto r = example_record();
  r.scores.train = TrainRecord{0.75, 0.5, 0.7, 0.8, 0.78};
  evaluation::Baseline majority, logistic;
  majority.name = evaluation::baseline_names[0], majority.parameters = 3;
  logistic.name = evaluation::tested_baseline, logistic.parameters = 15, logistic.penalty = 10;
  logistic.iterations = 41, logistic.converged = false;
  for (int row = 0; row < 4; ++row) {
    for (const float p : {0.2f, 0.5f, 0.3f}) majority.probabilities.push_back(p);
    for (const float p : {0.1f, 0.1f, 0.8f}) logistic.probabilities.push_back(p);
  }
  for (const auto& b : {majority, logistic}) r.scores.baselines.push_back(baseline_record(b, *r.test));
  r.scores.looks = {{"run_study", "chosen on validation among 12 configurations"}};
  return r;
}

TEST(ScoresRecord, ComesBackAsItWasWritten) {
  const TemporaryFolder folder;
  const auto r = scored_record();
  write_result(folder / "result.h5", r);
  const auto b = read_result(folder / "result.h5");
  ASSERT_TRUE(b.scores.train);
  EXPECT_EQ(b.scores.train->clip_macro_f1, 0.78);
  ASSERT_EQ(b.scores.baselines.size(), 2u);
  for (std::size_t i = 0; i < 2; ++i) {
    const auto &in = r.scores.baselines[i], &out = b.scores.baselines[i];
    EXPECT_EQ(out.name, in.name);
    EXPECT_EQ(out.probabilities, in.probabilities);
    EXPECT_EQ(out.parameters, in.parameters);
    EXPECT_EQ(out.accuracy, 0.5);  // two rows of each of two classes
    EXPECT_EQ(out.clip_accuracy, in.clip_accuracy);
  }
  EXPECT_EQ(b.scores.baselines[1].penalty, 10);
  EXPECT_EQ(b.scores.baselines[1].iterations, 41);
  EXPECT_FALSE(b.scores.baselines[1].converged);
  EXPECT_TRUE(b.scores.baselines[0].converged);
  ASSERT_EQ(b.scores.looks.size(), 1u);
  EXPECT_EQ(b.scores.looks[0].why, "chosen on validation among 12 configurations");
}

TEST(ScoresRecord, ARegressionThatDidNotConvergeIsTold) {
  const TemporaryFolder folder;
  auto r = scored_record();
  write_result(folder / "result.h5", r);
  EXPECT_NE(describe_file(folder / "result.h5").find("ended before it converged"), std::string::npos);
  r.scores.baselines[1].converged = true;
  write_result(folder / "result.h5", r);
  EXPECT_EQ(describe_file(folder / "result.h5").find("ended before it converged"), std::string::npos);
}

TEST(ScoresRecord, ProbabilitiesOfOtherRowsAreRefused) {
  const TemporaryFolder folder;
  auto r = scored_record();
  r.scores.baselines[1].probabilities.resize(9);
  write_result(folder / "result.h5", r);
  EXPECT_NE(message_of<Error>([&] {
              read_result(folder / "result.h5");
            }).find("/baselines/logistic/probabilities does not fit the rows of the test part"),
            std::string::npos);
}

}  // namespace
}  // namespace timbre::results
