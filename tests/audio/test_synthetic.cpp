#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "audio/synthetic.hpp"
#include "core/parallel.hpp"
#include "features/engine.hpp"

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

TEST(Synthetic, ArtistsShareTheirSoundAndLeaveTheMusicAlone) {
  auto options = small();
  options.clips_per_genre = 12;
  const auto plain = synthesize(options, 3, 1);
  options.artists_per_genre = 4;
  EXPECT_EQ(synthetic_artist(options, 3, 1), "synthetic_pulse artist 1");
  EXPECT_EQ(synthetic_artist(options, 3, 9), "synthetic_pulse artist 1");
  EXPECT_EQ(synthetic_artist(options, 3, 2), "synthetic_pulse artist 2");
  EXPECT_EQ(synthetic_artist(small(), 3, 2), "");
  const auto played = synthesize(options, 3, 1);
  ASSERT_EQ(played.size(), plain.size());
  EXPECT_NE(played, plain);
  EXPECT_EQ(played, synthesize(options, 3, 1));
  // Brightness (mean square of differences over mean square) is nearer within an artist than between artists.
  const auto brightness = [&](int clip) {
    const auto x = synthesize(options, 9, clip);
    double step = 0, all = 0;
    for (std::size_t i = 1; i < x.size(); ++i)
      step += double(x[i] - x[i - 1]) * (x[i] - x[i - 1]), all += double(x[i]) * x[i];
    return std::log(step / all);
  };
  std::vector<double> of;
  for (int clip = 0; clip < 12; ++clip) of.push_back(brightness(clip));
  double within = 0, between = 0;
  int near = 0, far = 0;
  for (int a = 0; a < 12; ++a)
    for (int b = 0; b < a; ++b)
      (a % 4 == b % 4 ? (++near, within) : (++far, between)) +=
          std::abs(of[std::size_t(a)] - of[std::size_t(b)]);
  EXPECT_LT(within / near, between / far);
}

TEST(Synthetic, ClipsMayStartAnywhereInTheBar) {
  auto options = small();
  const auto on_the_bar = synthesize(options, 1, 0);
  options.start = "anywhere";
  std::set<std::vector<float>> seen;
  for (int clip = 0; clip < 4; ++clip) {
    const auto x = synthesize(options, 1, clip);
    EXPECT_EQ(x.size(), 44100u);
    for (const float v : x) ASSERT_LE(std::abs(v), 1.0f);
    seen.insert(x);
  }
  EXPECT_EQ(seen.size(), 4u);
  EXPECT_FALSE(seen.contains(on_the_bar));
}

TEST(Synthetic, IdentityLeavesOutLaterKeysWhereTheyChangeNothing) {
  auto options = small();
  EXPECT_EQ(config::to_yaml(synthetic_identity(options)),
            "clips_per_genre: 4\nclip_seconds: 2\nseed: 0\ndifficulty: 0.2\n");
  options.artists_per_genre = 2, options.start = "anywhere";
  EXPECT_EQ(config::to_yaml(synthetic_identity(options)),
            config::to_yaml(schema(config::of<SyntheticOptions>{}).dump(options)));
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

// What a classifier finds that knows only averages over time: the nearest class mean of standardised mean
// MFCCs.
double nearest_mean_accuracy(const SyntheticOptions& options, std::size_t train_clips) {
  features::FeatureOptions feature_options;
  feature_options.n_mfcc = 13;
  const auto engine = features::make_cpu_feature_engine(
      feature_options, std::llround(options.clip_seconds * synthetic_sample_rate));
  const auto clips = std::size_t(options.clips_per_genre), rows = 10 * clips, width = std::size_t{13};
  const auto frames = std::size_t(engine->shape()[0]);
  using Row = std::vector<double>;
  std::vector<Row> x(rows, Row(width));
  std::vector<float> mfcc(frames * width);
  for (std::size_t row = 0; row < rows; ++row) {
    engine->compute(synthesize(options, int(row / clips), int(row % clips)).data(), 1, mfcc.data());
    for (std::size_t i = 0; i < mfcc.size(); ++i) x[row][i % width] += mfcc[i] / double(frames);
  }
  const auto trains = [&](std::size_t row) { return row % clips < train_clips; };
  std::vector<Row> centre(10, Row(width));
  for (std::size_t k = 0; k < width; ++k) {
    const double n = 10.0 * double(train_clips);
    double mean = 0, variance = 0;
    for (std::size_t row = 0; row < rows; ++row) mean += trains(row) ? x[row][k] / n : 0;
    for (std::size_t row = 0; row < rows; ++row)
      variance += trains(row) ? std::pow(x[row][k] - mean, 2) / n : 0;
    for (auto& r : x) r[k] = (r[k] - mean) / std::sqrt(variance);
    for (std::size_t row = 0; row < rows; ++row)
      if (trains(row)) centre[row / clips][k] += x[row][k] / double(train_clips);
  }
  int right = 0, tested = 0;
  for (std::size_t row = 0; row < rows; ++row) {
    if (trains(row)) continue;
    Row distance(10);
    for (std::size_t c = 0; c < 10; ++c)
      for (std::size_t k = 0; k < width; ++k) distance[c] += std::pow(x[row][k] - centre[c][k], 2);
    right +=
        std::size_t(std::min_element(distance.begin(), distance.end()) - distance.begin()) == row / clips;
    ++tested;
  }
  return double(right) / tested;
}

TEST(Synthetic, AveragesOverTimeTellSomethingButNotEnough) {
  SyntheticOptions options;
  options.clips_per_genre = 16, options.clip_seconds = 3;
  const double accuracy = nearest_mean_accuracy(options, 10);
  EXPECT_GT(accuracy, 0.15);  // chance is 0.1
  EXPECT_LT(accuracy, 0.60);  // a recurrent network over time reaches far more
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
