#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <span>
#include <string>
#include <thread>

#include "config/schema.hpp"
#include "core/philox.hpp"
#include "core/text.hpp"
#include "features/decibel.hpp"
#include "features/engine.hpp"
#include "features/mel_filters.hpp"

namespace timbre::features {
namespace {

FeatureOptions parse(const std::string& yaml) {
  return FeatureOptions::from(config::Reader(config::parse_text(yaml, "f.yaml", ".")));
}

std::string refusal(const std::string& yaml, std::int64_t samples = 66150) {
  try {
    make_cpu_feature_engine(parse(yaml), samples);
  } catch (const RequestError& e) {
    return e.what();
  }
  return "accepted";
}

std::vector<float> noise(std::size_t n, std::uint64_t seed = 1) {
  PhiloxSequence random(seed, 99);
  std::vector<float> x(n);
  for (auto& v : x) v = static_cast<float>(random.uniform(-0.5, 0.5));
  return x;
}

std::vector<float> extract(FeatureEngine& engine, const std::vector<float>& x, std::int64_t count) {
  std::vector<float> out(static_cast<std::size_t>(count * engine.shape().size()), NAN);
  engine.compute(x.data(), count, out.data());
  return out;
}

bool same_bytes(std::span<const float> a, std::span<const float> b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size_bytes()) == 0;
}

TEST(FeatureOptions, DefaultsAreLibrosas) {
  const auto o = parse("{}");
  EXPECT_EQ(feature_shape(o, 66150), Shape({130, 20}));
  EXPECT_EQ(o.window_samples(), 2048);
  EXPECT_EQ(o.highest_frequency(), 11025.0);
  EXPECT_EQ(o.top_db, 80.0);
  EXPECT_FALSE(parse("top_db: null").top_db.has_value());
}

TEST(FeatureOptions, ValuesThatCannotGoTogetherAreNamed) {
  EXPECT_EQ(refusal("{n_mfcc: 41, n_mels: 40}"), "f.yaml:1:1: n_mfcc 41 must not exceed n_mels 40");
  EXPECT_EQ(refusal("{kind: log_mel, n_mfcc: 41, n_mels: 40}"), "accepted");
  EXPECT_EQ(refusal("{n_fft: 512, win_length: 513}"), "f.yaml:1:1: win_length 513 must not exceed n_fft 512");
  EXPECT_EQ(refusal("{fmax: 11026}"), "f.yaml:1:1: fmax 11026 must not exceed half the sample rate, 11025");
  EXPECT_EQ(refusal("{fmin: 500, fmax: 500}"), "f.yaml:1:1: fmin 500 must be less than fmax 500");
  EXPECT_EQ(refusal("{fmin: 11025}"), "f.yaml:1:1: fmin 11025 must be less than fmax 11025");
  EXPECT_EQ(refusal("hop_length: 0"), "f.yaml:1:13: hop_length: must be between 1 and 1048576, not '0'");
  EXPECT_EQ(refusal("n_fft: 1000000000"),
            "f.yaml:1:8: n_fft: must be between 2 and 131072, not '1000000000'");
  EXPECT_EQ(refusal("win_length: 0"), "f.yaml:1:13: win_length: must be at least 1, not '0'");
  EXPECT_EQ(refusal("window: han").substr(0, 43), "f.yaml:1:9: window: must be one of hann, ha");
  EXPECT_EQ(refusal("kind: mfc"),
            "f.yaml:1:7: kind: must be one of " + join(FeatureRegistry::instance().names()) + ", not 'mfc'");
  EXPECT_EQ(refusal("top_db: -1"), "f.yaml:1:9: top_db: must be at least 0, not '-1'");
}

TEST(FeatureOptions, ImpossibleShapesAreRefusedBeforeAnyWork) {
  EXPECT_EQ(refusal("center: false", 2047),
            "features: a segment of 2047 samples is shorter than one frame of n_fft 2048 without center");
  EXPECT_EQ(refusal("center: false", 2048), "accepted");
  EXPECT_EQ(refusal("{}", 1), "accepted");
  EXPECT_NE(refusal("{}", 0), "accepted");
  EXPECT_EQ(refusal("{kind: spectrogram, hop_length: 1}", 10000000),
            "features: one segment would give 10,000,001 x 1,025 values; a larger hop_length or shorter "
            "segments help");
}

TEST(FeatureOptions, TheKeyOfAnExtractionIgnoresWhatIsNotExtraction) {
  const auto key = [](const std::string& yaml) { return extraction_key(parse(yaml)); };
  EXPECT_EQ(key("{}"), key("standardise: true"));
  EXPECT_EQ(key("{}"), key("{win_length: 2048, fmax: 11025}"));
  EXPECT_NE(key("{}"), key("hop_length: 256"));
  EXPECT_NE(key("{}"), key("top_db: null"));
}

TEST(Features, EveryKindHasTheShapeItAnnouncesAndIsFinite) {
  const auto x = noise(2 * 9000);
  for (const auto& kind : FeatureRegistry::instance().names()) {
    SCOPED_TRACE(kind);
    auto o = parse("{n_fft: 600, hop_length: 250}");
    o.kind = kind;
    const auto engine = make_cpu_feature_engine(o, 9000);
    EXPECT_EQ(engine->shape(), feature_shape(o, 9000));
    EXPECT_EQ(engine->shape()[0], 37);
    for (const float v : extract(*engine, x, 2)) ASSERT_TRUE(std::isfinite(v));
  }
}

TEST(Features, ASegmentGivesTheSameBytesAloneInABatchAndInAnotherThread) {
  const std::int64_t samples = 20000;
  const auto x = noise(3 * samples);
  for (const auto& kind : FeatureRegistry::instance().names()) {
    SCOPED_TRACE(kind);
    FeatureOptions o;
    o.kind = kind;
    const auto together = make_cpu_feature_engine(o, samples);
    const auto all = extract(*together, x, 3);
    EXPECT_TRUE(same_bytes(all, extract(*together, x, 3)));
    const auto size = static_cast<std::size_t>(together->shape().size());
    std::vector<std::vector<float>> alone(3);
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < 3; ++i)
      threads.emplace_back([&, i] {
        const auto engine = make_cpu_feature_engine(o, samples);
        alone[i] = extract(*engine, {x.begin() + i * samples, x.begin() + (i + 1) * samples}, 1);
      });
    for (auto& t : threads) t.join();
    for (std::size_t i = 0; i < 3; ++i)
      EXPECT_TRUE(same_bytes(std::span(all).subspan(i * size, size), alone[i]));
  }
}

TEST(Features, APureToneStandsInItsBinWithItsEnergy) {
  // A sine of amplitude a in the middle of bin k: |X[k]| = a * sum(window) / 2 = a * n_fft / 4 for hann.
  FeatureOptions o;
  o.kind = "spectrogram", o.power = 1.0;
  std::vector<float> x(8192);
  for (std::size_t i = 0; i < x.size(); ++i)
    x[i] = static_cast<float>(0.5 * std::sin(2 * M_PI * 100.0 * i / 2048));
  const auto engine = make_cpu_feature_engine(o, 8192);
  const auto out = extract(*engine, x, 1);
  const float* middle = out.data() + 8 * 1025;
  EXPECT_NEAR(middle[100], 256.0f, 1e-3);
  EXPECT_NEAR(middle[99], 128.0f, 1e-3);
  EXPECT_LT(middle[300], 1e-3);
}

TEST(Features, VeryShortSegmentsAreMirroredAsOftenAsNeeded) {
  FeatureOptions o;
  o.kind = "spectrogram", o.n_fft = 10, o.window = "ones", o.power = 1.0, o.hop_length = 1;
  const auto sums = [&](const std::string& mode) {
    o.pad_mode = mode;
    const auto engine = make_cpu_feature_engine(o, 3);
    const auto out = extract(*engine, {1, 2, 4}, 1);
    return std::vector<float>{out[0], out[6], out[12], out[18]};  // at frequency 0: the sum of the frame
  };
  // numpy.pad([1, 2, 4], 5, mode), frames of 10
  const std::vector<float> reflected{21, 21, 24, 24}, edges{20, 23, 26, 29}, zeros{7, 7, 7, 7};
  for (std::size_t t = 0; t < 4; ++t) {
    EXPECT_NEAR(sums("reflect")[t], reflected[t], 1e-4) << t;
    EXPECT_NEAR(sums("edge")[t], edges[t], 1e-4) << t;
    EXPECT_NEAR(sums("constant")[t], zeros[t], 1e-4) << t;
  }
}

TEST(Decibels, FollowTheLogarithmOverTheWholeRange) {
  std::vector<float> x;
  for (double v = 1e-10; v < 1e30; v *= 1.00731) x.push_back(static_cast<float>(v));
  auto y = x;
  power_to_db(y.data(), static_cast<std::int64_t>(y.size()), std::nullopt);
  for (std::size_t i = 0; i < x.size(); ++i)
    ASSERT_NEAR(y[i], 10 * std::log10(std::max(1e-10, double(x[i]))), 3e-5) << x[i];
}

TEST(Decibels, StopBelowTheSegmentsMaximumAndAtTheSmallestPower) {
  std::vector<float> x(37, 0.0f);
  x[36] = 10.0f;
  auto y = x;
  power_to_db(y.data(), 37, 60.0);
  EXPECT_NEAR(y[36], 10, 1e-5);
  EXPECT_NEAR(y[0], -50, 1e-5);
  y = x;
  power_to_db(y.data(), 37, std::nullopt);
  EXPECT_NEAR(y[0], -100, 1e-5);
  std::vector<float> silence(5, 0.0f);
  power_to_db(silence.data(), 5, 80.0);
  for (const float v : silence) EXPECT_NEAR(v, -100, 1e-5);
}

TEST(MelFilters, EmptyBandsAreTold) {
  FeatureOptions o;
  EXPECT_EQ(feature_note(o), "") << "librosa's defaults have none";
  o.kind = "log_mel", o.n_fft = 256, o.n_mels = 256;
  const auto note = feature_note(o);
  const MelFilters filters(o);
  const auto weights = filters.dense();
  int empty = 0;
  for (int m = 0; m < 256; ++m)
    empty += std::all_of(weights.begin() + m * o.bins(), weights.begin() + (m + 1) * o.bins(),
                         [](float w) { return w == 0; });
  ASSERT_GT(empty, 50);
  EXPECT_TRUE(note.starts_with("features: " + std::to_string(empty) + " of 256 mel bands ")) << note;
  o.kind = "spectrogram";
  EXPECT_EQ(feature_note(o), "") << "it has no bands";
}

TEST(MelFilters, AreTrianglesThatOverlapByHalf) {
  FeatureOptions o;
  o.norm = "none", o.n_mels = 20;
  const auto weights = MelFilters(o).dense();
  // Between the peaks of the first and the last filter, the slopes of neighbours add up to one.
  for (std::size_t k = 60; k < 700; ++k) {
    double sum = 0;
    for (std::size_t m = 0; m < 20; ++m) sum += weights[m * 1025 + k];
    EXPECT_NEAR(sum, 1.0, 1e-6) << k;
  }
}

}  // namespace
}  // namespace timbre::features
