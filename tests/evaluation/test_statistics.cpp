// Literals are scipy's: tests/golden/evaluation_metrics.py prints them; statsmodels': statistics_peers.py.
#include <gtest/gtest.h>

#include <cmath>

#include "evaluation/statistics.hpp"

namespace timbre::evaluation {
namespace {

const std::vector<double> seeds{0.71, 0.744, 0.7, 0.765, 0.7325};

TEST(Statistics, QuantilesAreScipyS) {
  EXPECT_NEAR(normal_quantile(0.975), 1.959963984540054, 1e-13);
  EXPECT_NEAR(normal_quantile(0.5), 0, 1e-13);
  EXPECT_NEAR(normal_quantile(0.001), -3.090232306167813, 1e-12);
  EXPECT_NEAR(student_quantile(0.975, 1), 12.706204736174694, 1e-10);
  EXPECT_NEAR(student_quantile(0.975, 4), 2.7764451051977934, 1e-11);
  EXPECT_NEAR(student_quantile(0.9, 2.5), 1.7302509288071766, 1e-11);
  EXPECT_NEAR(student_quantile(0.025, 30), -2.042272456301238, 1e-11);
}

TEST(Statistics, TIntervalOfSeveralSeeds) {
  EXPECT_NEAR(standard_deviation(seeds), 0.02610938528575503, 1e-15);
  const auto interval = t_interval(seeds);
  EXPECT_NEAR(interval.low, 0.6978809162754468, 1e-12);
  EXPECT_NEAR(interval.high, 0.7627190837245531, 1e-12);
  EXPECT_TRUE(std::isnan(t_interval(std::vector<double>{0.5}).low));
  EXPECT_TRUE(std::isnan(standard_deviation(std::vector<double>{0.5})));
  EXPECT_TRUE(std::isnan(mean({})));
}

TEST(Statistics, TIntervalOfSplitsWhoseTrainingSetsOverlap) {
  // Five folds, one part of five evaluated and three trained on: sqrt((1/5 + 1/3) / (1/5)) times as wide.
  const auto plain = t_interval(seeds), corrected = t_interval(seeds, 0.95, 1.0 / 3);
  EXPECT_NEAR((corrected.high - corrected.low) / (plain.high - plain.low), 1.632993161855452, 1e-12);
  EXPECT_NEAR(corrected.high + corrected.low, plain.high + plain.low, 1e-12);
}

TEST(Statistics, WilsonIntervalOfAProportion) {
  const auto check = [](std::int64_t k, std::int64_t n, double low, double high) {
    const auto interval = wilson_interval(k, n);
    EXPECT_NEAR(interval.low, low, 1e-12) << k << "/" << n;
    EXPECT_NEAR(interval.high, high, 1e-12) << k << "/" << n;
  };
  check(232, 290, 0.7501748738775116, 0.8419811843531178);
  check(0, 20, 0.0, 0.16112515805281935);
  check(20, 20, 0.8388748419471808, 1.0);
  check(1, 3, 0.06149194472039626, 0.7923403991979523);
  check(0, 0, 0, 1);
}

TEST(Statistics, BootstrapIntervalAgreesWithScipyAndRepeats) {
  std::vector<double> right(290, 0.0);
  std::fill(right.begin(), right.begin() + 232, 1.0);
  const auto interval = bootstrap_interval(right, 0, 4000);
  EXPECT_NEAR(interval.low, 0.75172, 0.0035);  // one clip is 0.00345
  EXPECT_NEAR(interval.high, 0.84483, 0.0035);
  const auto again = bootstrap_interval(right, 0, 4000);
  EXPECT_EQ(interval.low, again.low);
  EXPECT_EQ(interval.high, again.high);
  EXPECT_TRUE(std::isnan(bootstrap_interval(std::vector<double>{}).low));
}

TEST(Statistics, BootstrapIntervalOfAnyFigure) {
  const std::vector<double> values{0, 1, 2, 3, 4, 5, 6, 7, 8, 100};
  const auto largest = [&](std::span<const std::int64_t> drawn) {
    double m = 0;
    for (const auto i : drawn) m = std::max(m, values[i]);
    return m;
  };
  EXPECT_EQ(bootstrap_interval(10, largest, 1).high, 100);
  EXPECT_LT(bootstrap_interval(10, largest, 1).low, 9);
  const auto undefined = [](std::span<const std::int64_t>) { return std::nan(""); };
  EXPECT_TRUE(std::isnan(bootstrap_interval(10, undefined, 1).low));
}

TEST(Statistics, GroupedIntervalDrawsGroupsWhole) {
  // Ten clips of five artists, each all right or all wrong: no narrower than five clips make it.
  const std::vector<Tally> artists{{2, 2}, {2, 2}, {2, 2}, {0, 2}, {0, 2}};
  const std::vector<double> five{1, 1, 1, 0, 0};
  const auto grouped = grouped_interval(artists), plain = bootstrap_interval(five);
  EXPECT_EQ(grouped.low, plain.low);
  EXPECT_EQ(grouped.high, plain.high);
  const auto all = grouped_interval(std::vector<Tally>{{3, 3}, {5, 5}, {1, 1}});
  EXPECT_NEAR(all.low, wilson_interval(3, 3).low, 1e-15);
  EXPECT_EQ(all.high, 1);
  EXPECT_TRUE(std::isnan(grouped_interval(std::vector<Tally>{{3, 4}}).low));
  EXPECT_TRUE(std::isnan(grouped_interval(std::vector<Tally>{}).low));
}

TEST(Statistics, IntervalsAreCutToWhatIsPossible) {
  const auto c = cut({-0.3, 1.9}, 0, 1);
  EXPECT_EQ(c.low, 0);
  EXPECT_EQ(c.high, 1);
  EXPECT_TRUE(std::isnan(cut({std::nan(""), 1}, 0, 1).low));
}

TEST(Statistics, HolmAdjustsInTheOrderGiven) {
  // By hand: 4 x 0.01, 3 x 0.03, then 2 x 0.04, which may not fall below the one before.
  const auto adjusted = holm(std::vector<double>{0.04, 0.01, 0.03, 0.5});
  const std::vector<double> want{0.09, 0.04, 0.09, 0.5};
  for (std::size_t i = 0; i < want.size(); ++i) EXPECT_NEAR(adjusted[i], want[i], 1e-15);
  EXPECT_EQ(holm(std::vector<double>{0.7, 0.9})[0], 1.0);
  // statsmodels: multipletests(method="holm")
  const auto six = holm(std::vector<double>{0.04, 0.01, 0.03, 0.5, 0.011, 0.2});
  const std::vector<double> peers{0.12, 0.06, 0.12, 0.5, 0.06, 0.4};
  for (std::size_t i = 0; i < peers.size(); ++i) EXPECT_NEAR(six[i], peers[i], 1e-15);
}

}  // namespace
}  // namespace timbre::evaluation
