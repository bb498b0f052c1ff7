// Which interval a mean over repetitions has.
#include <gtest/gtest.h>

#include <cmath>

#include "records.hpp"
#include "report/analysis.hpp"
#include "report/numbers.hpp"
#include "report/sentences.hpp"
#include "report/spread.hpp"

namespace timbre::report {
namespace {

// Student's 0.975 quantile, whose distribution has a closed form for two degrees.
const double t2 = 0.95 * std::sqrt(2 / (4 * 0.975 * 0.025));

TEST(Spread, OfSeedsOnOneSplitIsStudents) {
  const auto s = spread_of({{0.5, 7, 0.25}, {0.6, 7, 0.25}, {0.7, 7, 0.25}});
  EXPECT_FALSE(s.corrected);
  EXPECT_NEAR(s.mean, 0.6, 1e-15);
  EXPECT_NEAR(s.high - s.mean, t2 * 0.1 / std::sqrt(3), 1e-12);
  EXPECT_NEAR(s.error, 0.1 / std::sqrt(3), 1e-12);
}

TEST(Spread, OfSeveralSplitsIsTheCorrectedResampled) {
  const auto s = spread_of({{0.5, 1, 0.25}, {0.6, 2, 0.25}, {0.7, 3, 0.25}});
  EXPECT_TRUE(s.corrected);
  EXPECT_NEAR(s.deviation, 0.1, 1e-12);
  EXPECT_NEAR(s.high - s.mean, t2 * 0.1 * std::sqrt(1.0 / 3 + 0.25), 1e-12);
  EXPECT_NEAR(s.mean - s.low, s.high - s.mean, 1e-12);
}

TEST(Spread, RunsOnTheSameSplitAreAveragedFirst) {
  // Three folds with two seeds each are three values, not six.
  const auto s = spread_of(
      {{0.5, 1, 0.25}, {0.7, 1, 0.25}, {0.8, 2, 0.25}, {0.8, 2, 0.25}, {0.65, 3, 0.25}, {0.75, 3, 0.25}});
  EXPECT_EQ(s.n, 6);
  EXPECT_EQ(s.repetitions, 3);
  EXPECT_NEAR(s.mean, 0.7, 1e-12);
  EXPECT_NEAR(s.high - s.mean, t2 * 0.1 * std::sqrt(1.0 / 3 + 0.25), 1e-12);
}

TEST(Spread, TwoRepetitionsHaveNoInterval) {
  // Student's factor would make 292 points of a difference of 30.
  const auto s = spread_of({{0.5, 1, 0.25}, {0.8, 2, 0.25}}, a_share);
  EXPECT_FALSE(s.has_interval());
  EXPECT_TRUE(std::isnan(s.low));
  EXPECT_EQ(plus_minus(s), "65.0% (50.0 and 80.0%)");
  EXPECT_EQ(interval_text(s), "– (two repetitions)");
}

TEST(Spread, IsCutToWhatAShareCanBe) {
  const auto s = spread_of({{0.7, 1, 0.25}, {0.9, 2, 0.25}, {1.0, 3, 0.25}}, a_share);
  EXPECT_EQ(s.high, 1);
  EXPECT_GT(s.low, 0);
  EXPECT_TRUE(s.is_cut());
  EXPECT_TRUE(plus_minus(s).ends_with("to 100.0%)")) << plus_minus(s);
}

TEST(Spread, RoundsAsThePagesScriptsDo) {
  EXPECT_EQ(fixed(6.25, 1), "6.3");  // printf: 6.2
  EXPECT_EQ(fixed(-6.25, 1), "-6.3");
  EXPECT_EQ(fixed(0.35, 1), "0.3");  // 0.35 is a little less
  EXPECT_EQ(fixed(2.5, 0), "3");
  EXPECT_EQ(fixed(62.146, 1), "62.1");
}

TEST(Spread, OfOneOrOfEqualValuesIsNone) {
  EXPECT_TRUE(std::isnan(spread_of({{0.5, 1, 0.25}}).low));
  EXPECT_TRUE(std::isnan(spread_of({}).mean));
  const auto s = spread_of({{0.1, 1, 0.25}, {0.1, 2, 0.25}, {0.1, 3, 0.25}});
  EXPECT_EQ(s.low, 0.1);
  EXPECT_EQ(s.high, 0.1);
}

// Folds 0 to 2 of five: 6 rows of training, 2 of validation, 2 of test.
Results folds() {
  Results r;
  for (const int fold : {0, 1, 2})
    for (const std::string l2 : {"0", "0.1"}) {
      auto record = made({.l2 = l2,
                          .validation_right = 4 + fold + (l2 == "0" ? 0 : 2 - fold / 2),
                          .test_right = 4 + 2 * fold,
                          .first_test_clip = 10 * fold,
                          .first_validation_clip = 100 + 10 * fold});
      record.key += "fold" + std::to_string(fold);
      record.config.replace(record.config.find("folds: null, fold: 0"), 20,
                            fmt::format("folds: 5, fold: {}", fold));
      record.split.train.resize(6), record.split.validation.resize(2), record.split.test.resize(2);
      r.add(record);
    }
  return r;
}

TEST(Spread, FoldsAreCorrectedInFiguresDifferencesAndWords) {
  const auto r = folds();
  r.write();
  const auto a = analyse(r.files(), {});
  ASSERT_EQ(a.families.size(), 1u);
  const auto& c = a.families[0].configurations;
  ASSERT_EQ(c.size(), 2u);
  const double corrected = t2 * std::sqrt(1.0 / 3 + 2.0 / 6);
  EXPECT_NEAR(c[0].val_clip.high - c[0].val_clip.mean, corrected * 0.1, 1e-12);  // 0.4, 0.5, 0.6
  EXPECT_NEAR(c[0].test->clip.half, corrected * 0.2, 1e-12);
  EXPECT_EQ(c[0].test->clip.high, 1);                 // of 0.4, 0.6 and 0.8
  EXPECT_NEAR(c[1].difference.mean, 0.5 / 3, 1e-12);  // 0.2, 0.2, 0.1
  EXPECT_NEAR(c[1].difference.high - c[1].difference.mean, corrected * 0.1 / std::sqrt(3), 1e-12);
  for (const auto& text : {r.html(), r.markdown()}) {
    EXPECT_TRUE(has(text, "Nadeau and Bengio, Machine Learning 52, 2003"));
    EXPECT_TRUE(has(text, "trained on, 0.33 for the test part"));
    EXPECT_FALSE(has(text, "plain 95% t-interval,"));
  }
  EXPECT_TRUE(has(r.csv(), ",corrected resampled t,")) << r.csv();
  EXPECT_EQ(repetition_word(a), "fold");
  EXPECT_TRUE(has(r.markdown(), "over folds (95%, t)")) << r.markdown();
  EXPECT_TRUE(has(r.markdown(), "6 runs with 3 folds, on ")) << r.markdown();
  EXPECT_TRUE(has(r.html(), R"("repetition":"fold")"));
}

TEST(Spread, SeedsOnOneSplitSayThatTheyVaryTheWeightsAlone) {
  Results r;
  for (const int seed : {0, 1, 2}) r.add({.seed = seed, .validation_right = 4 + seed});
  r.write();
  const auto a = analyse(r.files(), {});
  const auto& s = a.families[0].configurations[0].val_clip;
  EXPECT_NEAR(s.high - s.mean, t2 * 0.1 / std::sqrt(3), 1e-12);
  EXPECT_TRUE(
      has(r.markdown(), "Over seeds on one and the same split, ± is half of the plain 95% t-interval"));
  EXPECT_FALSE(has(r.markdown(), "Nadeau"));
  EXPECT_TRUE(has(r.markdown(), "over seeds (95%, t)"));
  EXPECT_TRUE(has(r.csv(), ",t,")) << r.csv();

  // Beside a model whose seeds have splits of their own, each is named with its interval.
  for (const int seed : {0, 1, 2})
    r.add({.experiment = "cnn", .seed = seed, .first_test_clip = seed, .first_validation_clip = 200 + seed});
  const auto text = interval_sentence(analyse(r.files(), {}));
  EXPECT_TRUE(has(text, "a split of their own (of cnn)")) << text;
  EXPECT_TRUE(has(text, "the same split (of mlp)")) << text;
}

}  // namespace
}  // namespace timbre::report
