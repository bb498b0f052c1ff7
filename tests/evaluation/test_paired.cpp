// Tests by signs: SciPy's and statsmodels' values, and how often they reject where nothing differs.
#include <gtest/gtest.h>

#include <cmath>

#include "core/philox.hpp"
#include "evaluation/paired.hpp"
#include "evaluation/statistics.hpp"
#include "storage/hdf5.hpp"

namespace timbre::evaluation {
namespace {

using Sums = std::vector<std::int64_t>;

TEST(Paired, SignFlipsOfGroupsAreScipys) {
  const auto file = storage::H5File::open(TIMBRE_TEST_DATA "/statistics_peers.h5");
  for (const std::string name : {"sums0", "sums1", "sums2", "sums3", "sums4"}) {
    const auto ints = file.read_ints("/" + name);
    const auto test = sign_flip_test(Sums(ints.begin(), ints.end()));
    EXPECT_NEAR(test.p_value, file.double_attribute("/", name), 1e-12) << name;
    EXPECT_TRUE(test.exact);
  }
}

TEST(Paired, OfOneAnswerToEachClipItIsMcNemarsExactTest) {
  const auto check = [](int first, int second, double p) {
    Sums sums(40, 0);
    sums.insert(sums.end(), std::size_t(first), 1), sums.insert(sums.end(), std::size_t(second), -1);
    const auto test = sign_flip_test(sums);
    EXPECT_EQ(test.first, first);
    EXPECT_EQ(test.second, second);
    EXPECT_EQ(test.units, 40 + first + second);
    EXPECT_NEAR(test.p_value, p, 1e-12) << first << " " << second;
  };
  check(3, 15, 0.007537841796875);
  check(0, 6, 0.03125);
  check(10, 10, 1);
  check(0, 0, 1);
  check(70, 101, 0.021506542463250313);
  check(101, 70, 0.021506542463250313);
  check(1, 0, 1);
}

TEST(Paired, FewGroupsCannotRejectHoweverManyClipsTheyHave) {
  // Six speakers with 500 clips each, all better with the first: 2 of 64 signs are as extreme.
  const auto test = sign_flip_test(Sums(6, 90));
  EXPECT_NEAR(test.p_value, 1.0 / 32, 1e-15);
  EXPECT_EQ(test.least, 1.0 / 32);
  EXPECT_EQ(sign_flip_test(Sums(5, 90)).p_value, 1.0 / 16);
  EXPECT_EQ(sign_flip_test(Sums{}).p_value, 1);
}

TEST(Paired, DrawnSignsComeNearTheExactOnesAndRepeat) {
  // Sums too large for all of theirs to be gone through: the same in units of 20 million.
  Sums small, large;
  for (int i = 0; i < 30; ++i)
    small.push_back(i % 7 - 2), large.push_back((i % 7 - 2) * std::int64_t(20'000'000));
  const auto exact = sign_flip_test(small), drawn = sign_flip_test(large);
  EXPECT_TRUE(exact.exact);
  EXPECT_FALSE(drawn.exact);
  EXPECT_NEAR(drawn.p_value, exact.p_value, 5 * std::sqrt(exact.p_value / 100'000));
  EXPECT_EQ(drawn.p_value, sign_flip_test(large).p_value);
}

TEST(Paired, SmallestDetectableDifference) {
  // 67 clips of which 30% are right by one model alone: 19 points.
  Sums sums(67, 0);
  for (std::size_t i = 0; i < 20; ++i) sums[i] = i < 12 ? 1 : -1;
  EXPECT_NEAR(detectable_difference(sums, 67), 2.8015852 * std::sqrt(20.0) / 67, 1e-6);
  EXPECT_NEAR(detectable_difference(sums, 67), 0.187, 5e-4);
  // Two runs that answer alike are no more than one.
  Sums twice;
  for (const auto d : sums) twice.push_back(2 * d);
  EXPECT_NEAR(detectable_difference(twice, 134), detectable_difference(sums, 67), 1e-15);
  // Models that never differed: six clips on one side would have been needed.
  EXPECT_NEAR(detectable_difference(Sums(20, 0), 20), 0.3, 1e-15);
  EXPECT_TRUE(std::isnan(detectable_difference(Sums(5, 3), 50)));
}

TEST(Paired, DetectableIsWhatIsFoundFourTimesOfFive) {
  int found = 0;
  constexpr int trials = 1000, clips = 400;
  for (int t = 0; t < trials; ++t) {
    PhiloxSequence random(7, 90, std::uint32_t(t));
    Sums sums;
    const double detect = 2.8015852 * std::sqrt(0.3 / clips);
    for (int i = 0; i < clips; ++i) {
      const double u = random.uniform();
      sums.push_back(u < (0.3 + detect) / 2 ? 1 : u < 0.3 ? -1 : 0);
    }
    found += sign_flip_test(sums).p_value < 0.05;
  }
  EXPECT_GT(found, 0.75 * trials);
  EXPECT_LT(found, 0.86 * trials);
}

// Where artists prefer one model or the other, by chance, and no model is better: a test over clips takes
// their preference for a difference, one over artists does not.
TEST(Paired, NullIsRejectedByGroupsNoMoreOftenThanItShould) {
  constexpr int trials = 2000, artists = 25, clips = 8;
  int by_group = 0, by_clip = 0;
  for (int t = 0; t < trials; ++t) {
    PhiloxSequence random(11, 91, std::uint32_t(t));
    Sums of_groups, of_clips;
    for (int g = 0; g < artists; ++g) {
      const double lean = 1.5 * random.normal();
      std::int64_t sum = 0;
      for (int i = 0; i < clips; ++i) {
        const bool differ = random.uniform() < 0.4, first = random.uniform() < 1 / (1 + std::exp(-lean));
        of_clips.push_back(differ ? (first ? 1 : -1) : 0), sum += of_clips.back();
      }
      of_groups.push_back(sum);
    }
    by_group += sign_flip_test(of_groups).p_value < 0.05;
    by_clip += sign_flip_test(of_clips).p_value < 0.05;
  }
  std::printf("rejected: %.1f%% by groups, %.1f%% by clips\n", 100.0 * by_group / trials,
              100.0 * by_clip / trials);
  EXPECT_LE(by_group, 0.06 * trials);
  EXPECT_GE(by_group, 0.03 * trials);
  EXPECT_GE(by_clip, 0.09 * trials);
}

// Accuracy on clips of other artists: intervals over clips are too narrow where artists differ.
TEST(Paired, IntervalsOverArtistsCoverOtherArtists) {
  for (const double deviation : {0.0, 1.0, 2.0}) {
    constexpr int trials = 400, artists = 45;
    int grouped = 0, plain = 0;
    double truth = 0;
    for (int i = 0; i < 4000; ++i)  // the mean over all artists, by quantiles of the normal distribution
      truth += 1 / (1 + std::exp(-1 - deviation * normal_quantile((i + 0.5) / 4000))) / 4000;
    for (int t = 0; t < trials; ++t) {
      PhiloxSequence random(3, 92, std::uint32_t(t));
      std::vector<Tally> units;
      std::vector<double> rights;
      for (int g = 0; g < artists; ++g) {
        const double right = 1 / (1 + std::exp(-1 - deviation * random.normal()));
        Tally tally;
        for (int i = 0, n = 2 + int(random.below(9)); i < n; ++i) {
          rights.push_back(random.uniform() < right), tally.right += rights.back(), ++tally.all;
        }
        units.push_back(tally);
      }
      const auto by_artist = grouped_interval(units, 0, 400), by_clip = bootstrap_interval(rights, 0, 400);
      grouped += by_artist.low <= truth && truth <= by_artist.high;
      plain += by_clip.low <= truth && truth <= by_clip.high;
    }
    std::printf("artists differ by %.0f logits: covered %.1f%% by artists, %.1f%% by clips\n", deviation,
                100.0 * grouped / trials, 100.0 * plain / trials);
    EXPECT_GE(grouped, 0.90 * trials) << deviation;
    EXPECT_LE(grouped, 0.98 * trials) << deviation;
    if (deviation > 1.5) {
      EXPECT_LE(plain, 0.85 * trials);
    }
  }
}

}  // namespace
}  // namespace timbre::evaluation
