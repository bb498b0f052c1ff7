#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "audio/synthetic.hpp"
#include "core/parallel.hpp"

namespace timbre::audio {
namespace {

SyntheticOptions small() { return {.clips_per_genre = 4, .clip_seconds = 2}; }

TEST(Synthetic, NamesTenGenresThatSaySoInOrder) {
  const auto& names = synthetic_genres();
  ASSERT_EQ(names.size(), 10u);
  EXPECT_TRUE(std::is_sorted(names.begin(), names.end()));
  EXPECT_EQ(std::set<std::string>(names.begin(), names.end()).size(), 10u);
  for (const auto& n : names) EXPECT_TRUE(n.starts_with("synthetic")) << n;
}

TEST(Synthetic, EveryClipIsFiniteAudibleAndWithinFullScale) {
  const auto options = small();
  for (int genre = 0; genre < 10; ++genre)
    for (int clip = 0; clip < 4; ++clip) {
      const auto samples = synthesize(options, genre, clip);
      ASSERT_EQ(samples.size(), 44100u);
      double power = 0;
      for (const float v : samples) {
        ASSERT_TRUE(std::isfinite(v)) << genre << " " << clip;
        ASSERT_LE(std::abs(v), 1.0f) << genre << " " << clip;
        power += double(v) * v;
      }
      EXPECT_GT(10 * std::log10(power / 44100), -40) << genre << " " << clip;
    }
}

TEST(Synthetic, TheSameClipHasTheSameBytesInWhateverOrderAndOnAnyThread) {
  const auto options = small();
  std::vector<std::vector<float>> one(40), two(40);
  for (int i = 0; i < 40; ++i) one[std::size_t(i)] = synthesize(options, i / 4, i % 4);
  ThreadPool pool(3);
  pool.parallel_for(40, [&](std::int64_t i, int) {
    const auto j = int(39 - i);
    two[std::size_t(j)] = synthesize(options, j / 4, j % 4);
  });
  EXPECT_EQ(one, two);
  // How many clips there are does not change those that are there.
  auto more = options;
  more.clips_per_genre = 9;
  EXPECT_EQ(synthesize(more, 3, 1), one[3 * 4 + 1]);
}

TEST(Synthetic, GenresClipsAndSeedsDiffer) {
  const auto options = small();
  std::set<std::vector<float>> seen;
  for (int i = 0; i < 40; ++i) seen.insert(synthesize(options, i / 4, i % 4));
  auto reseeded = options;
  reseeded.seed = 1;
  seen.insert(synthesize(reseeded, 0, 0));
  EXPECT_EQ(seen.size(), 41u);
}

TEST(Synthetic, RefusesGenresAndClipsThatAreNotThere) {
  EXPECT_THROW(synthesize(small(), 10, 0), RequestError);
  EXPECT_THROW(synthesize(small(), -1, 0), RequestError);
  EXPECT_THROW(synthesize(small(), 0, 4), RequestError);
}

TEST(Synthetic, OptionsAreReadAndChecked) {
  const auto read = [](const std::string& text) {
    const auto node = config::parse_text(text, "f.yaml", ".");
    return schema(config::of<SyntheticOptions>{}).parse(config::Reader(node));
  };
  EXPECT_EQ(read("{}").clips_per_genre, SyntheticOptions{}.clips_per_genre);
  EXPECT_EQ(read("{clips_per_genre: 7, seed: 3}").clips_per_genre, 7);
  EXPECT_THROW(read("{clips_per_genre: 0}"), RequestError);
  EXPECT_THROW(read("{clip_seconds: -1}"), RequestError);
  EXPECT_THROW(read("{clips: 7}"), RequestError);
}

}  // namespace
}  // namespace timbre::audio
