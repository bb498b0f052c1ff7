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
  return schema(config::of<FeatureOptions>{}).parse(config::parse_text(yaml, "options", "."));
}

/// The tolerance of DESIGN's Numbers: decibels, or parts of the segment's largest value.
inline double allowed_error(const FeatureOptions& options, double largest) {
  const bool decibels = options.kind == "mfcc" || options.kind == "log_mel";
  return decibels ? 1e-3 : 1e-5 * largest;
}

/// A golden file; TIMBRE_GOLDEN names their folder where these tests run without their source tree.
inline std::string golden_file(const std::string& name) {
  const char* folder = std::getenv("TIMBRE_GOLDEN");
  return std::string(folder ? folder : TIMBRE_TEST_DATA) + "/" + name;
}

/// Every golden case of librosa 0.11 (golden/librosa_features.py).
inline void expect_librosas_values(const std::string& device) {
  const auto file = storage::H5File::open(golden_file("librosa_features.h5"));
  const auto cases = file.children("/cases");
  ASSERT_GE(cases.size(), 30u);
  for (const auto& c : cases) {
    const auto path = "/cases/" + c.name;
    const auto text = file.text_attribute(path, "options");
    SCOPED_TRACE(text);
    const auto options = options_of(text);
    const auto signal = "/signals/" + file.text_attribute(path, "signal");
    const auto segments = file.shape(signal)[0], samples = file.shape(signal)[1];
    const auto engine = open_features(device, options, samples)();
    const auto frames = engine->shape()[0], width = engine->shape()[1];
    ASSERT_EQ(frames, file.int_attribute(path, "total"));
    const auto kept = file.read_ints(path + "/frames");
    const auto expected = file.read_floats(path + "/values");
    ASSERT_EQ(file.shape(path + "/values"), Shape({segments, static_cast<std::int64_t>(kept.size()), width}));

    std::vector<float> out(static_cast<std::size_t>(segments * frames * width), NAN);
    engine->compute(file.read_floats(signal).data(), segments, out.data());

    double worst = 0;  // in parts of what is allowed
    const auto kept_size = static_cast<std::int64_t>(kept.size());
    for (std::int64_t s = 0; s < segments; ++s) {
      const float* segment = out.data() + s * frames * width;
      const double allowed = allowed_error(options, *std::max_element(segment, segment + frames * width));
      for (std::int64_t i = 0; i < kept_size; ++i)
        for (std::int64_t k = 0; k < width; ++k) {
          const double a = segment[kept[static_cast<std::size_t>(i)] * width + k];
          const double b = expected[static_cast<std::size_t>((s * kept_size + i) * width + k)];
          ASSERT_TRUE(std::isfinite(a)) << s << " " << i << " " << k;
          ASSERT_LE(std::abs(a - b), allowed)
              << "segment " << s << " frame " << kept[static_cast<std::size_t>(i)] << " value " << k << ": "
              << a << " and not " << b;
          if (allowed > 0) worst = std::max(worst, std::abs(a - b) / allowed);
        }
    }
    testing::Test::RecordProperty("case_" + c.name, std::to_string(worst));
    if (std::getenv("TIMBRE_SHOW_ERRORS")) std::printf("%5.3f of the tolerance: %s\n", worst, text.c_str());
  }
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
    const auto segment = b.begin() + static_cast<std::ptrdiff_t>(s * size);
    const double allowed =
        allowed_error(options, *std::max_element(segment, segment + static_cast<std::ptrdiff_t>(size)));
    for (std::size_t i = s * size; i < (s + 1) * size; ++i) {
      ASSERT_TRUE(std::isfinite(a[i])) << "segment " << s << " value " << i - s * size;
      ASSERT_LE(std::abs(a[i] - b[i]), allowed)
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
      SCOPED_TRACE(kind + " " + c.options);
      expect_the_cpus_values_of(device, options, c.samples);
    }
}

}  // namespace timbre::features
