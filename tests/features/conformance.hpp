// What every device's features must be, as functions of the device's name: librosa's golden values, and the
// CPU's numbers for every registered kind. Tests call them for each device that is there.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "config/schema.hpp"
#include "core/philox.hpp"
#include "features/engine.hpp"
#include "storage/hdf5.hpp"

namespace timbre::features {

inline FeatureOptions options_of(const std::string& yaml) {
  return FeatureOptions::from(config::Reader(config::parse_text(yaml, "options", ".")));
}

/// The tolerance of DESIGN's Numbers for one kind over a segment's values of it: decibels, or parts of the largest value; of
/// the later kinds parts of their range (and what rounding does to values that hardly change).
inline double allowed_error(const FeatureOptions& part, double smallest, double largest) {
  if (part.kind == "mfcc" || part.kind == "log_mel") return 1e-3;
  if (part.kind == "mel" || part.kind == "spectrogram") return 1e-5 * largest;
  return 2e-5 * (largest - smallest) + 1e-7 * std::max(std::abs(largest), std::abs(smallest)) + 1e-12;
}

/// Of a segment's values [T, F], what each column may be off: that of the part that it is of.
inline std::vector<double> allowed_errors(const FeatureOptions& options, const float* values,
                                          const Shape& shape) {
  std::vector<double> out;
  const auto statistics = options.summary ? std::ssize(*options.summary) : 1;
  for (std::int64_t s = 0; s < statistics; ++s)
    for (const auto& part : options.parts()) {
      const auto first = std::ssize(out), width = width_of(part) * (1 + part.delta_orders());
      float low = values[first], high = low;
      for (std::int64_t t = 0; t < shape[0]; ++t) {
        const float* row = values + t * shape[1] + first;
        low = std::min(low, *std::min_element(row, row + width));
        high = std::max(high, *std::max_element(row, row + width));
      }
      if (options.summary) low = std::min(low, 0.0f);
      out.insert(out.end(), std::size_t(width), allowed_error(part, low, high));
    }
  return out;
}

/// A roll-off that stands where rounding decides may be one bin off, in 0.2% of the frames.
inline double distance_of_bins(const FeatureOptions& options) {
  return options.kind == "spectral_rolloff" ? double(options.sample_rate) / options.n_fft : 0;
}

/// A golden file; TIMBRE_GOLDEN names their folder where these tests run without their source tree.
inline std::string golden_file(const std::string& name) {
  const char* folder = std::getenv("TIMBRE_GOLDEN");
  return std::string(folder ? folder : TIMBRE_TEST_DATA) + "/" + name;
}

/// Every golden case of one file (golden/librosa_features.py, golden/librosa_more_features.py).
inline void expect_the_values_of(const std::string& golden, const std::string& device) {
  const auto file = storage::H5File::open(golden_file(golden));
  const auto signals = storage::H5File::open(golden_file("librosa_features.h5"));
  const auto cases = file.children("/cases");
  ASSERT_GE(cases.size(), 30u);
  std::int64_t frames_of_rolloff = 0, one_bin_off = 0;
  for (const auto& c : cases) {
    const auto path = "/cases/" + c.name;
    const auto text = file.text_attribute(path, "options");
    SCOPED_TRACE(text);
    const auto options = options_of(text);
    const auto name = file.text_attribute(path, "signal"), signal = "/signals/" + name;
    const auto& source = name == "short" || name == "song" ? signals : file;
    const auto segments = source.shape(signal)[0], samples = source.shape(signal)[1];
    const auto engine = open_features(device, options, samples)();
    const auto frames = engine->shape()[0], width = engine->shape()[1];
    ASSERT_EQ(frames, file.int_attribute(path, "total"));
    const auto kept = file.read_ints(path + "/frames");
    const auto expected = file.read_floats(path + "/values");
    ASSERT_EQ(file.shape(path + "/values"), Shape({segments, static_cast<std::int64_t>(kept.size()), width}));

    std::vector<float> out(static_cast<std::size_t>(segments * frames * width), NAN);
    engine->compute(source.read_floats(signal).data(), segments, out.data());

    double worst = 0;  // in parts of what is allowed
    const auto kept_size = static_cast<std::int64_t>(kept.size());
    for (std::int64_t s = 0; s < segments; ++s) {
      const float* segment = out.data() + s * frames * width;
      const auto allowed = allowed_errors(options, segment, engine->shape());
      for (std::int64_t i = 0; i < kept_size; ++i)
        for (std::int64_t k = 0; k < width; ++k) {
          const double a = segment[kept[static_cast<std::size_t>(i)] * width + k];
          const double b = expected[static_cast<std::size_t>((s * kept_size + i) * width + k)];
          const double limit = allowed[static_cast<std::size_t>(k)], off = std::abs(a - b);
          ASSERT_TRUE(std::isfinite(a)) << s << " " << i << " " << k;
          frames_of_rolloff += options.kind == "spectral_rolloff";
          if (off > limit && off <= limit + distance_of_bins(options)) {
            ++one_bin_off;
            continue;
          }
          ASSERT_LE(off, limit) << "segment " << s << " frame " << kept[static_cast<std::size_t>(i)]
                                << " value " << k << ": " << a << " and not " << b;
          if (limit > 0) worst = std::max(worst, off / limit);
        }
    }
    testing::Test::RecordProperty("case_" + c.name, std::to_string(worst));
    if (std::getenv("TIMBRE_SHOW_ERRORS")) std::printf("%5.3f of the tolerance: %s\n", worst, text.c_str());
  }
  EXPECT_LE(double(one_bin_off), 0.002 * double(frames_of_rolloff)) << "roll-offs that are one bin off";
}

/// Every golden case of librosa 0.11.
inline void expect_librosas_values(const std::string& device) {
  expect_the_values_of("librosa_features.h5", device);
}
inline void expect_librosas_further_values(const std::string& device) {
  expect_the_values_of("librosa_more_features.h5", device);
}

/// Segments of noise, a silent one, and one that is quiet but for a click.
inline std::vector<float> odd_segments(std::int64_t samples) {
  PhiloxSequence random(5, 99);
  std::vector<float> x(static_cast<std::size_t>(3 * samples), 0.0f);
  for (std::int64_t i = 0; i < samples; ++i) {
    x[static_cast<std::size_t>(i)] = static_cast<float>(random.uniform(-0.5, 0.5));
    x[static_cast<std::size_t>(2 * samples + i)] = static_cast<float>(random.uniform(-1e-4, 1e-4));
  }
  x[static_cast<std::size_t>(2 * samples + samples / 3)] = 0.9f;
  return x;
}

/// One kind with one set of options, against the CPU.
inline void expect_the_cpus_values_of(const std::string& device, const FeatureOptions& options,
                                      std::int64_t samples) {
  const auto x = odd_segments(samples);
  const auto there = open_features(device, options, samples)(),
             here = make_cpu_feature_engine(options, samples);
  ASSERT_EQ(there->shape(), here->shape());
  const auto size = static_cast<std::size_t>(here->shape().size());
  std::vector<float> a(3 * size, NAN), b(3 * size, NAN);
  there->compute(x.data(), 3, a.data());
  here->compute(x.data(), 3, b.data());
  for (std::size_t s = 0; s < 3; ++s) {
    const auto allowed = allowed_errors(options, b.data() + s * size, here->shape());
    for (std::size_t i = s * size; i < (s + 1) * size; ++i) {
      ASSERT_TRUE(std::isfinite(a[i])) << "segment " << s << " value " << i - s * size;
      ASSERT_LE(std::abs(a[i] - b[i]), allowed[i % allowed.size()] + distance_of_bins(options))
          << "segment " << s << " value " << i - s * size << ": " << a[i] << " and not " << b[i];
    }
  }
}

/// Every registered kind with options that touch every branch, against the CPU.
inline void expect_the_cpus_values(const std::string& device) {
  struct Case {
    const char* options;
    std::int64_t samples;
  };
  const Case cases[] = {
      {"{n_fft: 512, hop_length: 128, n_mels: 40}", 4000},
      {"{n_fft: 601, hop_length: 250, win_length: 401, window: hamming, n_mels: 33, fmin: 50, fmax: 7000}",
       3001},
      {"{n_fft: 256, hop_length: 300, pad_mode: reflect, mel_scale: htk, norm: none, n_mels: 21, top_db: 30}",
       5000},
      {"{n_fft: 400, hop_length: 160, center: false, power: 1, n_mels: 64}", 2000},
      {"{n_fft: 128, hop_length: 1, pad_mode: edge, power: 1.3, n_mels: 20, top_db: 60}", 77},
      {"{n_fft: 64, hop_length: 16, pad_mode: reflect, n_mels: 20}", 1}};
  for (const auto& kind : FeatureRegistry::instance().names())
    for (const auto& c : cases) {
      auto options = options_of(c.options);
      options.kind = kind;
      if (kind == "tempo") options.hop_length += 100;  // with a hop of 1 it would have 176,400 lags
      // Some octaves of a short transform hold no bin, and some segments no frame of frame_length samples.
      if (!problem_with(options).empty() || frame_count(options, c.samples) == 0) continue;
      SCOPED_TRACE(kind + " " + c.options);
      expect_the_cpus_values_of(device, options, c.samples);
    }
}

}  // namespace timbre::features
