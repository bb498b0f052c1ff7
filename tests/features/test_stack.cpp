// Lists of features, their changes over time, and summaries.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <span>
#include <string>

#include "config/schema.hpp"
#include "core/philox.hpp"
#include "features/assembly.hpp"
#include "features/conformance.hpp"
#include "features/delta.hpp"
#include "features/engine.hpp"

namespace timbre::features {
namespace {

constexpr std::int64_t samples = 20000;

std::string refusal(const std::string& yaml, std::int64_t segment = samples) {
  try {
    make_cpu_feature_engine(FeatureOptions::from(config::Reader(config::parse_text(yaml, "f.yaml", "."))),
                            segment);
  } catch (const RequestError& e) {
    return e.what();
  }
  return "accepted";
}

std::vector<float> noise(std::size_t n) {
  PhiloxSequence random(3, 99);
  std::vector<float> x(n);
  for (auto& v : x) v = static_cast<float>(random.uniform(-0.5, 0.5));
  return x;
}

std::vector<float> extract(const std::string& yaml, const std::vector<float>& x, Shape* shape = nullptr) {
  const auto engine = make_cpu_feature_engine(options_of(yaml), samples);
  if (shape) *shape = engine->shape();
  const auto count = std::ssize(x) / samples;
  std::vector<float> out(static_cast<std::size_t>(count * engine->shape().size()), NAN);
  engine->compute(x.data(), count, out.data());
  return out;
}

/// Columns [first, first + width) of rows of `all` values.
std::vector<float> columns(const std::vector<float>& x, std::int64_t all, std::int64_t first,
                           std::int64_t width) {
  std::vector<float> out;
  for (std::int64_t t = 0; t < std::ssize(x) / all; ++t)
    out.insert(out.end(), x.begin() + t * all + first, x.begin() + t * all + first + width);
  return out;
}

/// Every kind, with its default options.
std::string every_kind() {
  std::string out;
  for (const auto& name : FeatureRegistry::instance().names())
    out += (out.empty() ? "[" : ", ") + name + (out.size() % 3 == 0 ? ": {delta: 1}" : "");
  return out + "]";
}

TEST(Stack, HasTheColumnsOfItsPartsInTheirOrder) {
  const auto x = noise(2 * samples);
  Shape shape;
  const auto all = extract(
      "[spectral_rolloff, rms: {delta: 2}, chroma_stft: {n_chroma: 24}, spectral_contrast]", x, &shape);
  EXPECT_EQ(shape, Shape({40, 1 + 3 + 24 + 7}));
  EXPECT_EQ(columns(all, 35, 0, 1), extract("kind: spectral_rolloff", x));
  EXPECT_EQ(columns(all, 35, 1, 3), extract("{kind: rms, delta: 2}", x));
  EXPECT_EQ(columns(all, 35, 1, 1), extract("kind: rms", x));
  EXPECT_EQ(columns(all, 35, 4, 24), extract("{kind: chroma_stft, n_chroma: 24}", x));
  EXPECT_EQ(columns(all, 35, 28, 7), extract("kind: spectral_contrast", x));
}

TEST(Stack, OfTheFirstKindsHasTheirBytes) {
  const auto x = noise(samples);
  const auto all = extract("[mfcc: {n_mfcc: 13}, log_mel: {n_mels: 40}]", x);
  EXPECT_EQ(columns(all, 53, 0, 13), extract("n_mfcc: 13", x));
  EXPECT_EQ(columns(all, 53, 13, 40), extract("{kind: log_mel, n_mels: 40}", x));
}

TEST(Stack, SharesTransformsOfFloat64WithFirstKindsWithinTheirTolerance) {
  const auto x = noise(samples);
  const auto both = columns(extract("[mfcc, spectral_centroid]", x), 21, 0, 20), alone = extract("{}", x);
  for (std::size_t i = 0; i < alone.size(); ++i) ASSERT_NEAR(both[i], alone[i], 1e-3) << i;
}

TEST(Stack, GivesTheSameBytesAloneAndInABatch) {
  const auto x = noise(3 * samples);
  const auto together = extract(every_kind(), x);
  const auto size = together.size() / 3;
  for (std::size_t i = 0; i < 3; ++i) {
    const auto alone = extract(every_kind(), {x.begin() + i * samples, x.begin() + (i + 1) * samples});
    EXPECT_EQ(std::memcmp(alone.data(), together.data() + i * size, size * sizeof(float)), 0) << i;
  }
}

TEST(Stack, TakesWhatTheWholeSaysForTheDefaultOfItsParts) {
  const auto o = options_of(
      "{sample_rate: 16000, n_fft: 512, hop_length: 160, fmin: 50, delta: 1, standardise: true, stack: "
      "[mfcc, rms: "
      "{delta: null}, {log_mel: {n_fft: 1024}}, spectral_contrast: {n_bands: 4}, onset_strength]}");
  ASSERT_EQ(o.stack.size(), 5u);
  EXPECT_EQ(o.sample_rate, 16000);
  EXPECT_TRUE(o.standardise);
  for (const auto& part : o.stack) {
    EXPECT_EQ(part.sample_rate, 16000);
    EXPECT_EQ(part.hop_length, 160);
  }
  EXPECT_EQ(o.stack[0].n_fft, 512);
  EXPECT_EQ(o.stack[0].fmin, 50);
  EXPECT_EQ(o.stack[0].delta, 1);
  EXPECT_EQ(o.stack[1].delta_orders(), 0);
  EXPECT_EQ(o.stack[2].n_fft, 1024);
  EXPECT_EQ(o.hop_length, 160);
  EXPECT_EQ(name_of(o), "mfcc + rms + log_mel + spectral_contrast + onset_strength");
}

TEST(Stack, ReadsBackWhatItDumps) {
  for (const auto& text :
       {std::string("{}"), std::string("{kind: mfcc, delta: 2, summary: [std]}"),
        std::string("{kind: chroma_stft, norm: -inf, octwidth: null, tuning: 0.25}"),
        std::string("{kind: spectral_contrast, fmin: 150, n_mfcc: 7}"),
        std::string("{kind: tempo, max_tempo: null}"),
        std::string(
            "{standardise: true, summary: [mean, std], n_fft: 1024, stack: [mfcc: {n_mfcc: 13}, rms]}"),
        every_kind()}) {
    SCOPED_TRACE(text);
    const auto options = options_of(text);
    const auto yaml = config::to_yaml(options.dump());
    const auto again = options_of(yaml);
    EXPECT_EQ(config::to_yaml(again.dump()), yaml);
    EXPECT_EQ(extraction_key(again), extraction_key(options));
    EXPECT_EQ(feature_shape(again, 90000), feature_shape(options, 90000));
  }
}

TEST(Stack, HasAKeyThatItsNumbersDependOn) {
  const auto key = [](const std::string& yaml) { return extraction_key(options_of(yaml)); };
  EXPECT_EQ(key("{stack: [mfcc, rms], standardise: true}"),
            key("[mfcc: {win_length: 2048, fmax: 11025}, rms]"));
  EXPECT_EQ(key("{hop_length: 256, stack: [mfcc, rms]}"),
            key("[mfcc: {hop_length: 256}, rms: {hop_length: 256}]"));
  EXPECT_EQ(key("[mfcc: {delta: 1, delta_width: 9}]"), key("[mfcc: {delta: 1}]"));
  EXPECT_EQ(key("[mfcc: {delta_width: 5}]"), key("[mfcc]"));
  for (const auto* other : {"[rms, mfcc]", "[mfcc: {delta: 1}, rms]", "{stack: [mfcc, rms], summary: [mean]}",
                            "[mfcc, rms: {frame_length: 1024}]", "[mfcc]"})
    EXPECT_NE(key("[mfcc, rms]"), key(other)) << other;
  EXPECT_NE(key("kind: chroma_stft"), key("{kind: chroma_stft, tuning: 0}"));
}

// Stores and runs of earlier versions are found by these bytes.
TEST(Stack, LeavesTheKeysOfTheFirstKindsAsTheyWere) {
  EXPECT_EQ(
      extraction_key(options_of("{n_mfcc: 13, standardise: true}")),
      "feature version 2\nkind: mfcc\nsample_rate: 22050\nn_fft: 2048\nhop_length: 512\nwin_length: 2048\n"
      "window: hann\ncenter: true\npad_mode: constant\npower: 2\nn_mels: 128\nfmin: 0\nfmax: 11025\n"
      "mel_scale: slaney\nnorm: slaney\nn_mfcc: 13\ntop_db: 80\n");
  EXPECT_EQ(
      config::to_yaml(options_of("kind: spectrogram").dump()),
      "kind: spectrogram\nsample_rate: 22050\nn_fft: 2048\nhop_length: 512\nwin_length: ~\nwindow: hann\n"
      "center: true\npad_mode: constant\npower: 2\nn_mels: 128\nfmin: 0\nfmax: ~\nmel_scale: slaney\n"
      "norm: slaney\nn_mfcc: 20\ntop_db: 80\nstandardise: false\n");
}

TEST(Stack, SaysWhatCannotBe) {
  EXPECT_EQ(refusal("[]"), "f.yaml:1:1: names no feature");
  EXPECT_EQ(refusal("[mfcc: {n_mfc: 3}]"),
            "f.yaml:1:9: [0].mfcc: unknown key 'n_mfc'; did you mean 'n_mfcc'? known: n_fft, hop_length, "
            "win_length, "
            "window, center, pad_mode, power, n_mels, fmin, fmax, mel_scale, norm, n_mfcc, top_db, delta, "
            "delta_width");
  EXPECT_EQ(
      refusal("[rms: {n_mels: 3}]"),
      "f.yaml:1:8: [0].rms: unknown key 'n_mels'; known: frame_length, hop_length, center, pad_mode, delta, "
      "delta_width");
  EXPECT_EQ(refusal("{kind: rms, frame_lenth: 3}").substr(0, 70),
            "f.yaml:1:13: unknown key 'frame_lenth'; did you mean 'frame_length'? k");
  EXPECT_EQ(refusal("[mfcc, chroma_stf]").substr(0, 69),
            "f.yaml:1:8: [1]: unknown feature 'chroma_stf'; did you mean 'chroma_s");
  EXPECT_EQ(refusal("[rms: {sample_rate: 8000}]"),
            "f.yaml:1:7: [0].rms: sample_rate is of all features together: features: {sample_rate: ..., "
            "stack: [...]}");
  EXPECT_EQ(refusal("{kind: rms, stack: [mfcc]}"), "f.yaml:1:2: kind and stack exclude each other");
  EXPECT_EQ(
      refusal("[mfcc, rms: {hop_length: 256}]"),
      "f.yaml:1:1: mfcc has the hop_length 512 and rms has 256; the frames of stacked features are aligned");
  EXPECT_EQ(refusal("[rms: {center: false}, mfcc]"),
            "features: rms has 36 frames of a segment and mfcc has 40; stacked features need as many");
  EXPECT_EQ(refusal("{kind: mfcc, delta: 1, hop_length: 4000}"),
            "features: delta of mfcc needs 9 frames (delta_width), and a segment of 20000 samples has 6");
  EXPECT_EQ(refusal("delta: 3"), "f.yaml:1:8: delta: must be between 1 and 2, not '3'");
  EXPECT_EQ(refusal("{delta: 1, delta_width: 4}"),
            "f.yaml:1:25: delta_width: must be an odd number between 3 and 1023, not '4'");
  EXPECT_EQ(refusal("summary: [mean, median]"),
            "f.yaml:1:17: summary[1]: must be one of mean, std, not 'median'");
  EXPECT_EQ(refusal("summary: [std, std]"), "f.yaml:1:1: summary names mean and std, each once");
  EXPECT_EQ(refusal("{kind: spectral_contrast, sample_rate: 8000}"),
            "f.yaml:1:1: the highest band of spectral_contrast begins at 6400 Hz, above half the sample "
            "rate; a lower "
            "fmin or fewer n_bands");
  EXPECT_EQ(refusal("{kind: spectral_contrast, n_fft: 64}"),
            "f.yaml:1:1: the band of spectral_contrast from 0 to 200 Hz holds no bin of n_fft 64; a larger "
            "n_fft or "
            "fmin");
  EXPECT_EQ(refusal("{kind: chroma_stft, norm: slaney}"),
            "f.yaml:1:27: norm: must be inf, -inf, none or a number, not 'slaney'");
  EXPECT_EQ(
      refusal("{kind: rms, center: false, frame_length: 30000}"),
      "features: a segment of 20000 samples is shorter than one frame of frame_length 30000 without center");
}

TEST(Stack, TakesTheTempoOfWholeClipsAlone) {
  const auto tempo = options_of("[mfcc, tempo]");
  require_whole_clips(tempo, true);
  require_whole_clips(options_of("[mfcc, rms]"), false);
  try {
    require_whole_clips(tempo, false);
    FAIL();
  } catch (const RequestError& e) {
    EXPECT_STREQ(
        e.what(),
        "features: tempo is taken of whole clips alone (dataset.segment.seconds: whole): taken from 3 s, it "
        "agreed with the clip's own in 63% of segments");
  }
}

TEST(Stack, ASummaryIsTheMeanAndTheDeviationOfEachColumn) {
  const auto x = noise(samples);
  Shape shape;
  const auto both = extract("{summary: [std, mean], stack: [mfcc: {delta: 1}, rms]}", x, &shape);
  ASSERT_EQ(shape, Shape({1, 2 * 41}));
  const auto all = extract("[mfcc: {delta: 1}, rms]", x);
  for (std::size_t k = 0; k < 41; ++k) {
    double mean = 0, square = 0;
    for (std::size_t t = 0; t < 40; ++t) mean += double(all[t * 41 + k]) / 40;
    for (std::size_t t = 0; t < 40; ++t) square += std::pow(double(all[t * 41 + k]) - mean, 2) / 40;
    EXPECT_NEAR(both[41 + k], mean, 1e-6 * (1 + std::abs(mean)));
    EXPECT_NEAR(both[k], std::sqrt(square), 1e-6 * (1 + std::sqrt(square)));
  }
}

TEST(Delta, OfAStraightLineIsItsSlopeAndOfAParabolaItsCurvature) {
  std::vector<float> x(30), slope(30), curvature(30);
  for (std::size_t t = 0; t < x.size(); ++t) x[t] = static_cast<float>(5 - 0.25 * double(t));
  take_delta(x.data(), 30, 1, 1, delta_weights(9, 1), slope.data(), 1);
  for (const float v : slope) EXPECT_NEAR(v, -0.25, 1e-6);
  for (std::size_t t = 0; t < x.size(); ++t) x[t] = static_cast<float>(0.125 * double(t) * double(t));
  take_delta(x.data(), 30, 1, 1, delta_weights(9, 2), curvature.data(), 1);
  for (const float v : curvature) EXPECT_NEAR(v, 0.25, 1e-6);
}

}  // namespace
}  // namespace timbre::features
