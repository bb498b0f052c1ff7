// Stamps of shared artists and missing classes, and what leaks are worth.
#include <gtest/gtest.h>

#include "records.hpp"
#include "report/attribution.hpp"

namespace timbre::report {
namespace {

bool has(const std::string& text, const std::string& part) { return text.find(part) != text.npos; }

TEST(Leaks, ArtistsAndMissingClassesAreStampedWhereFiguresStand) {
  Results r;
  for (int seed = 0; seed < 2; ++seed) {
    auto run = made({.seed = seed, .test_right = 8});
    run.split.artist_share_in_train = seed ? 0.7 : 0.55;
    if (seed) run.split.missing = {"test: genre1"};
    r.add(run);
  }
  r.write();
  const auto data = data_of(r.html());
  EXPECT_EQ(data["families"][0]["stamps"], Json({"ARTISTS 55 to 70%", "MISSING"}));
  EXPECT_EQ(data["stamps"][0]["name"], "ARTISTS");
  EXPECT_TRUE(has(data["stamps"][0]["text"], "55.0% to 70.0% of the test clips are by artists"))
      << data["stamps"];
  EXPECT_TRUE(has(data["stamps"][1]["text"], "test: genre1")) << data["stamps"];
  EXPECT_EQ(data["splits"][0]["split"]["stamps"], Json({"ARTISTS 55%"}));
  EXPECT_TRUE(has(r.markdown(), "| mlp **ARTISTS 55 to 70%** **MISSING** |")) << r.markdown();
  EXPECT_TRUE(has(r.markdown(), "55 to 70% of its test clips are by artists of its training part (ARTISTS)"));
  EXPECT_TRUE(has(r.csv(), "artist_share_least,artist_share_most")) << r.csv();
  EXPECT_TRUE(has(r.csv(), ",0.55,0.7\n")) << r.csv();
}

/// Twenty clips in groups of two: the first `exposed` clips heard in training, of which `right` are right.
RunSummary answers(int exposed, int right, int clean_right, std::int32_t heard) {
  RunSummary r;
  r.status = "finished";
  r.validation.emplace();
  auto& t = r.test.emplace();
  for (int i = 0; i < 20; ++i) {
    const bool is_exposed = i < exposed;
    t.clip.push_back(i), t.label.push_back(0), t.group.push_back(i / 2);
    t.heard.push_back(is_exposed ? heard : 0);
    t.prediction.push_back(is_exposed ? i >= right : i - exposed >= clean_right);
  }
  return r;
}

TEST(Leaks, AreWorthTheDifferenceBetweenExposedAndCleanClips) {
  const auto run = answers(10, 9, 3, 2);
  const auto found = attribute({&run});
  ASSERT_EQ(found.size(), 1u);
  EXPECT_FALSE(found[0].artists);
  EXPECT_TRUE(found[0].decided());
  EXPECT_DOUBLE_EQ(found[0].exposed, 0.9);
  EXPECT_DOUBLE_EQ(found[0].clean, 0.3);
  EXPECT_LT(found[0].difference.low, 0.6);
  EXPECT_GT(found[0].difference.high, 0.6);
  EXPECT_GT(found[0].difference.low, 0);
  EXPECT_TRUE(has(sentence(found[0], "mlp"), "it gets 90.0% right, of the 10 clean ones 30.0%: +60.0 points"))
      << sentence(found[0], "mlp");
}

TEST(Leaks, OfFewerThanTenClipsASideAreUndecided) {
  const auto run = answers(9, 9, 3, 1);
  const auto found = attribute({&run});
  ASSERT_EQ(found.size(), 1u);
  EXPECT_TRUE(found[0].artists);
  EXPECT_FALSE(found[0].decided());
  EXPECT_TRUE(has(sentence(found[0], "mlp"), "is undecided")) << sentence(found[0], "mlp");
}

TEST(Leaks, ClipsOfUnknownArtistsAreNoCleanOnesAmongArtists) {
  auto run = answers(10, 9, 3, 1);
  for (int i = 14; i < 20; ++i) run.test->heard[std::size_t(i)] = 4;
  EXPECT_EQ(attribute({&run})[0].clean_clips, 4);
  run = answers(10, 9, 3, 3);
  for (int i = 14; i < 20; ++i) run.test->heard[std::size_t(i)] = 4;
  EXPECT_EQ(attribute({&run})[0].clean_clips, 10);
  EXPECT_TRUE(attribute({}).empty());
}

}  // namespace
}  // namespace timbre::report
