// What may be ranked against what, as the records of runs show it.
#include <gtest/gtest.h>

#include <algorithm>

#include "records.hpp"
#include "report/analysis.hpp"
#include "report/findings.hpp"

namespace timbre::report {
namespace {

std::vector<std::string> names(const Analysis& a) {
  std::vector<std::string> out;
  for (const auto& f : a.families) out.push_back(f.name);
  return out;
}

// One network under three splits, with two rates each: the leaking split has the best figures throughout.
Results three_splits() {
  Results r;
  for (const int seed : {0, 1})
    for (const std::string group_by : {"segment", "clip", "artist"})
      for (const std::string l2 : {"0", "0.1"}) {
        const bool segment = group_by == "segment", clip = group_by == "clip";
        r.add({.experiment = "lstm",
               .seed = seed,
               .l2 = l2,
               .validation_right = (segment ? 9
                                    : clip  ? 6
                                            : 4) +
                                   (l2 == "0.1"),
               .test_right = (segment ? 8
                              : clip  ? 6
                                      : 5) -
                             (l2 == "0.1"),
               .first_test_clip = segment ? 0
                                  : clip  ? 20 + seed
                                          : 40 + seed,
               .group_by = group_by,
               .first_validation_clip = segment ? 100
                                        : clip  ? 120 + seed
                                                : 140 + seed,
               .leaks = segment});
      }
  return r;
}

TEST(Comparable, ConfigurationsUnderOtherSplitsAreNeitherRankedNorPaired) {
  const auto r = three_splits();
  const auto a = analyse(r.files(), {.axes = {"split.group_by", "regularisation.l2"}});
  EXPECT_EQ(names(a), (std::vector<std::string>{"lstm (group_by segment)", "lstm (group_by clip)",
                                                "lstm (group_by artist)"}));
  for (const auto& f : a.families) {
    ASSERT_EQ(f.configurations.size(), 2u) << f.name;
    EXPECT_EQ(f.configurations[*f.chosen].name, "l2 0.1") << f.name;  // each group chooses for itself
    EXPECT_NEAR(f.configurations[1].difference.mean, 0.1, 1e-12) << f.name;
    ASSERT_EQ(f.axes.size(), 1u);
  }
  ASSERT_EQ(a.comparisons.size(), 3u);
  for (const auto& c : a.comparisons) EXPECT_NE(c.not_compared, "");
}

TEST(Comparable, PageMarkdownAndTableSayWhyAndWhatTheSplitDoes) {
  const auto r = three_splits();
  r.write({.axes = {"split.group_by", "regularisation.l2"}});
  for (const auto& text : {r.html(), r.markdown()}) {
    EXPECT_TRUE(has(text, "3 groups that cannot be ranked against each other")) << text;
    EXPECT_TRUE(has(text, "only where their records show the same validation clips"));
    EXPECT_TRUE(has(text, "30.0 points from the lowest to the highest")) << text;
    EXPECT_TRUE(has(text, "nothing was chosen between them"));
  }
  const auto found = findings(analyse(r.files(), {}));
  EXPECT_EQ(std::count_if(found.begin(), found.end(),
                          [](const auto& t) {
                            return has(
                                t,
                                "lstm: the same configuration (l2 0) under several split.group_by gets 80.0% "
                                "with segment (LEAKS), 60.0% with clip and 50.0% with artist");
                          }),
            1);
  EXPECT_TRUE(has(r.csv(), "model,configuration,data,split.group_by,regularisation.l2,chosen,"));
  EXPECT_TRUE(has(r.csv(),
                  "lstm (group_by artist),l2 0.1,0,artist,0.1,1,0,0,0,"
                  "lstm (group_by segment): the split of one of them leaks; lstm (group_by clip): other "
                  "validation clips,"))
      << r.csv();
}

TEST(Comparable, OneSplitPerSeedIsOneGroupAndSaysNothing) {
  const auto r = sweep();
  r.write();
  EXPECT_EQ(analyse(r.files(), {}).families.size(), 1u);
  EXPECT_FALSE(has(r.markdown(), "Ranked apart"));
  EXPECT_FALSE(has(r.markdown(), "cannot be ranked"));
}

TEST(Comparable, ClipsDecideNotSettings) {
  // Other fractions that leave the validation clips as they are (a learning curve) are ranked; the same
  // settings on other clips, as after songs were added, are not.
  Results curve;
  auto half = made({});
  half.key = "half", half.config.replace(half.config.find("fold: 0"), 7, "fold: 0, train: 0.3");
  curve.add(Made{});
  curve.add(half);
  EXPECT_EQ(analyse(curve.files(), {}).families.size(), 1u);

  Results grown;
  for (const int first : {100, 101})
    for (const std::string l2 : {"0", "0.1"})
      grown.add({.l2 = first == 100 ? l2 : l2 + "5", .first_validation_clip = first});
  EXPECT_EQ(names(analyse(grown.files(), {})), (std::vector<std::string>{"mlp", "mlp, clips 2"}));
}

TEST(Comparable, RunsThatShareNoSeedAreNotRanked) {
  Results r;
  r.add({.seed = 0, .l2 = "0"});
  r.add({.seed = 1, .l2 = "0.1"});
  EXPECT_EQ(names(analyse(r.files(), {})), (std::vector<std::string>{"mlp (l2 0)", "mlp (l2 0.1)"}));
}

TEST(Comparable, ARunThatWasNeverValidatedStandsWithItsSplit) {
  Results r;
  r.add({.l2 = "0", .group_by = "artist", .first_validation_clip = 140});
  r.add({.l2 = "0"});
  auto bad = made({.l2 = "0.1", .group_by = "artist"});
  bad.status = "diverged", bad.validation.reset(), bad.test.reset();
  r.add(bad);
  const auto a = analyse(r.files(), {});
  ASSERT_EQ(a.families.size(), 2u);
  EXPECT_EQ(a.families[0].configurations.size(), 2u);
  EXPECT_EQ(a.families[0].configurations[1].diverged, 1);
}

TEST(Comparable, GeneratedClipsOfOtherSettingsAreOtherClips) {
  Results r;
  for (const int difficulty : {0, 1}) {
    auto record = made({.synthetic = true});
    record.key += std::to_string(difficulty);
    record.config.replace(record.config.find("path: /music/0"), 14,
                          fmt::format("synthetic: {{difficulty: {}}}", difficulty));
    r.add(record);
  }
  const auto a = analyse(r.files(), {});
  ASSERT_EQ(a.families.size(), 2u);
  EXPECT_TRUE(has(a.comparisons[0].not_compared, "same clips"));
}

TEST(Comparable, RealAndGeneratedResultsOfOtherGenresShareAPage) {
  Results r;
  r.add({.validation_right = 6});
  r.add({.validation_right = 9, .classes = 3, .synthetic = true});
  r.add({.experiment = "cnn", .validation_right = 6, .test_right = 9});
  r.write();
  const auto a = analyse(r.files(), {});
  EXPECT_EQ(names(a), (std::vector<std::string>{"mlp", "mlp (synthetic)", "cnn"}));
  EXPECT_EQ(a.families[1].detail->confusion.size(), 9u);
  EXPECT_EQ(a.families[2].detail->confusion.size(), 4u);
  EXPECT_EQ(a.wrong_families, (std::vector<std::size_t>{0, 2}));  // of the music
  EXPECT_NE(a.comparisons[0].not_compared, "");
  EXPECT_EQ(a.comparisons[1].not_compared, "");
  EXPECT_TRUE(has(r.markdown(), "on 2 and 3 genres")) << r.markdown();
  EXPECT_TRUE(has(r.html(), "genre0\",\"genre1\",\"genre2"));
}

}  // namespace
}  // namespace timbre::report
