// Groups that hold several classes: the deal against a plain random search, folds, refusals, words.
#include <algorithm>
#include <cstdio>
#include <map>
#include <numeric>
#include <set>

#include "core/philox.hpp"
#include "data/split.hpp"
#include "data/split_even.hpp"
#include "support.hpp"

namespace timbre::data {
namespace {

using test::complaint;

/// Speakers who each say every digit, unequally often.
struct Speakers {
  std::vector<std::string> digits;
  std::vector<Clip> clips;
  std::vector<std::int32_t> rows;

  explicit Speakers(int speakers, std::uint64_t seed = 1, int classes = 10) {
    PhiloxSequence random(seed, 77);
    for (int d = 0; d < classes; ++d) digits.push_back(fmt::format("{}", d));
    for (int d = 0; d < classes; ++d)
      for (int s = 0; s < speakers; ++s)
        for (auto n = 3 + random.below(30) * (1 + std::uint64_t(s) % 3); n > 0; --n) {
          rows.push_back(std::int32_t(clips.size()));
          clips.push_back({fmt::format("{}/{}_{}_{}.wav", d, d, s, n), {}, d, fmt::format("speaker {}", s)});
        }
  }
  Split split(const SplitOptions& options, std::uint64_t seed) const {
    return make_split(options, clips, digits, rows, seed);
  }
  std::vector<MixedGroup> groups() const {
    std::map<std::string, std::map<std::int32_t, std::int64_t>> held;
    for (const auto& clip : clips) ++held[clip.group][clip.label];
    std::vector<MixedGroup> out;
    for (const auto& [speaker, counts] : held) {
      auto& g = out.emplace_back();
      for (const auto& [label, n] : counts) g.classes.emplace_back(label, n), g.size += n;
    }
    return out;
  }
  /// The part of each group, as groups() orders them; -1 where a group is in several.
  std::vector<int> parts(const Split& split) const {
    std::map<std::string, std::set<int>> seen;
    int p = 0;
    for (const auto* rows_of : {&split.train, &split.validation, &split.test}) {
      for (const auto r : *rows_of) seen[clips[std::size_t(rows[std::size_t(r)])].group].insert(p);
      ++p;
    }
    std::vector<int> out;
    for (const auto& [speaker, in] : seen) out.push_back(in.size() == 1 ? *in.begin() : -1);
    return out;
  }
};

SplitOptions by_artist() {
  SplitOptions o;
  o.group_by = "artist";
  return o;
}

const std::vector<double> fractions{0.6, 0.2, 0.2};

/// The best of many deals drawn at random, over those that lack nothing.
double random_search(const std::vector<MixedGroup>& groups, const std::vector<double>& shares, int draws,
                     std::uint64_t seed) {
  PhiloxSequence random(seed, 78);
  double best = 1e300;
  for (int i = 0; i < draws; ++i) {
    std::vector<int> part;
    for (std::size_t g = 0; g < groups.size(); ++g) {
      double u = random.uniform();
      int p = 0;
      while (p + 1 < int(shares.size()) && u >= shares[std::size_t(p)]) u -= shares[std::size_t(p++)];
      part.push_back(p);
    }
    const auto judged = judge_deal(groups, shares, true, part);
    if (judged.lacking == 0) best = std::min(best, judged.deviation);
  }
  return best;
}

TEST(EvenDeal, WeighsSizesAndClassesAsSharesOfTheirTargets) {
  // 6 + 2 + 2 of class 0 and 5 + 3 + 2 of class 1, at 60/20/20.
  const std::vector<MixedGroup> groups{{11, {{0, 6}, {1, 5}}}, {5, {{0, 2}, {1, 3}}}, {4, {{0, 2}, {1, 2}}}};
  const auto judged = judge_deal(groups, fractions, true, {0, 1, 2});
  const auto square = [](double x) { return x * x; };
  EXPECT_NEAR(judged.deviation,
              square(11 / 12.0 - 1) + square(5 / 4.0 - 1) + square(5 / 6.0 - 1) + square(3 / 2.0 - 1), 1e-12);
  EXPECT_EQ(judged.lacking, 0);
  EXPECT_NEAR(judge_deal(groups, fractions, false, {0, 1, 2}).deviation, square(11 / 12.0 - 1) + 0.0625,
              1e-12);
  EXPECT_EQ(judge_deal(groups, fractions, true, {0, 0, 1}).lacking,
            3);  // a size and two classes of the test part
}

TEST(EvenDeal, IsNoWorseThanARandomSearch) {
  for (const int speakers : {6, 12, 24}) {
    const Speakers data(speakers);
    const auto groups = data.groups();
    const auto random = random_search(groups, fractions, 10000, 5);
    double worst = 0;
    std::set<std::vector<int>> deals;
    for (std::uint64_t seed = 0; seed < 100; ++seed) {
      const auto split = data.split(by_artist(), seed);
      const auto parts = data.parts(split);
      EXPECT_EQ(std::count(parts.begin(), parts.end(), -1), 0);
      EXPECT_EQ(split.artist_share_in_train, 0);
      const auto judged = judge_deal(groups, fractions, true, parts);
      EXPECT_EQ(judged.lacking, 0);
      EXPECT_LE(judged.deviation, random + 1e-9) << speakers << " groups, seed " << seed;
      worst = std::max(worst, judged.deviation);
      deals.insert(parts);
      if (seed == 0) std::printf("%d groups: %s\n", speakers, split.notes.at(0).c_str());
    }
    std::printf("%d groups: deviation at most %.4f in 100 seeds (%zu different deals), random search %.4f\n",
                speakers, worst, deals.size(), random);
  }
}

TEST(EvenDeal, OfFewGroupsIsTheBestThereIs) {
  for (std::uint64_t data_seed = 0; data_seed < 5; ++data_seed) {
    const auto groups = Speakers(7, data_seed, 4).groups();
    double best = 1e300;
    std::vector<int> part(7, 0);
    for (int code = 0; code < 2187; ++code) {
      for (int g = 0, rest = code; g < 7; ++g, rest /= 3) part[std::size_t(g)] = rest % 3;
      const auto judged = judge_deal(groups, fractions, true, part);
      if (judged.lacking == 0) best = std::min(best, judged.deviation);
    }
    const auto deal = deal_evenly(groups, fractions, true, false, 3);
    EXPECT_TRUE(deal.exact);
    EXPECT_NEAR(deal.deviation, best, 1e-9);
  }
}

TEST(EvenDeal, MakesSixFoldsOfSixSpeakers) {
  const Speakers data(6);
  auto o = by_artist();
  o.folds = 6;
  std::map<std::string, int> tested;
  for (o.fold = 0; o.fold < 6; ++o.fold) {
    const auto split = data.split(o, 4);
    std::set<std::string> speakers;
    for (const auto r : split.test) speakers.insert(data.clips[std::size_t(r)].group);
    EXPECT_EQ(speakers.size(), 1u);
    for (const auto& s : speakers) ++tested[s];
    EXPECT_EQ(split.artist_share_in_train, 0);
    EXPECT_TRUE(split.missing.empty());
  }
  EXPECT_EQ(tested.size(), 6u);
  o.folds = 7, o.fold = 0;
  EXPECT_CONTAINS(complaint([&] { data.split(o, 4); }),
                  "split.folds: 7 folds need at least as many artists, and there are 6 (fewer folds");
}

TEST(EvenDeal, ManyGroupsEndUpNearTheirTargets) {
  // A thousand clips whose copies stand in another class.
  std::vector<MixedGroup> groups;
  for (int c = 0; c < 10; ++c)
    for (int i = 0; i < 98; ++i) groups.push_back({1, {{c, 1}}});
  for (int c = 0; c < 10; ++c)
    groups.push_back(c < 9 ? MixedGroup{2, {{c, 1}, {c + 1, 1}}} : MixedGroup{2, {{0, 1}, {9, 1}}});
  const auto deal = deal_evenly(groups, fractions, true, false, 0);
  EXPECT_FALSE(deal.exact);
  EXPECT_LT(deal.deviation, 1e-6);
  EXPECT_EQ(deal.part, deal_evenly(groups, fractions, true, false, 0).part);
  EXPECT_NE(deal.part, deal_evenly(groups, fractions, true, false, 1).part);
}

TEST(Split, NamesEveryClassWithTooFewGroups) {
  Speakers data(5, 2, 3);
  // Of digit 1 and 2 only one and two speakers are left.
  for (auto& clip : data.clips)
    if (clip.label > 0) clip.group = fmt::format("speaker {}", clip.label == 1 ? 0 : clip.group.back() % 2);
  EXPECT_CONTAINS(complaint([&] { data.split(by_artist(), 0); }),
                  "split: 2 classes have too few groups: '1' has 1 artist, '2' has 2 artists; train, "
                  "validation and test need");
  EXPECT_CONTAINS(complaint([&] { data.split(by_artist(), 0); }), "group_by: clip, or stratify: false");
  auto o = by_artist();
  o.stratify = false;
  const auto split = data.split(o, 0);
  ASSERT_FALSE(split.missing.empty());
  bool says = false;
  for (const auto& m : split.missing) says |= test::contains(m, "1");
  EXPECT_TRUE(says);
}

TEST(Split, WithoutStratifyMayLeaveTrainWithoutAClass) {
  std::vector<Clip> clips;
  std::vector<std::int32_t> rows;
  for (int label = 0; label < 2; ++label)
    for (int i = 0; i < (label ? 2 : 12); ++i) {
      rows.push_back(std::int32_t(clips.size()));
      clips.push_back(
          {fmt::format("{}/{:02}.wav", label, i), {}, label, label ? "the only one" : fmt::format("{}", i)});
    }
  auto o = by_artist();
  o.stratify = false;
  std::set<std::string> seen;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const auto split = make_split(o, clips, {"many", "one"}, rows, seed);
    EXPECT_FALSE(split.missing.empty());  // one group cannot be in three parts
    seen.insert(split.missing.begin(), split.missing.end());
  }
  EXPECT_TRUE(seen.contains("train: one"));
  EXPECT_TRUE(seen.contains("validation: one"));
}

}  // namespace
}  // namespace timbre::data
