// Features against librosa 0.11 in float64 (golden/librosa_features.py).
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "audio/decode.hpp"
#include "features/engine.hpp"
#include "features/window.hpp"
#include "storage/hdf5.hpp"

namespace timbre::features {
namespace {

using storage::H5File;

FeatureOptions options_of(const std::string& yaml) {
  return schema(config::of<FeatureOptions>{}).parse(config::parse_text(yaml, "options", "."));
}


TEST(Librosa, GivesTheSameFeaturesForEveryGoldenCase) {
  const auto file = H5File::open(TIMBRE_TEST_DATA "/librosa_features.h5");
  const auto cases = file.children("/cases");
  ASSERT_GE(cases.size(), 30u);
  for (const auto& c : cases) {
    const auto path = "/cases/" + c.name;
    const auto text = file.text_attribute(path, "options");
    SCOPED_TRACE(text);
    const auto options = options_of(text);
    const auto signal = "/signals/" + file.text_attribute(path, "signal");
    const auto segments = file.shape(signal)[0], samples = file.shape(signal)[1];
    const auto engine = make_cpu_feature_engine(options, samples);
    const auto frames = engine->shape()[0], width = engine->shape()[1];
    ASSERT_EQ(frames, file.int_attribute(path, "total"));
    const auto kept = file.read_ints(path + "/frames");
    const auto expected = file.read_floats(path + "/values");
    ASSERT_EQ(file.shape(path + "/values"), Shape({segments, static_cast<std::int64_t>(kept.size()), width}));

    std::vector<float> out(static_cast<std::size_t>(segments * frames * width), NAN);
    engine->compute(file.read_floats(signal).data(), segments, out.data());

    const bool decibels = options.kind == "mfcc" || options.kind == "log_mel";
    double worst = 0;  // in parts of what is allowed
    const auto kept_size = static_cast<std::int64_t>(kept.size());
    for (std::int64_t s = 0; s < segments; ++s) {
      const float* segment = out.data() + s * frames * width;
      const double top = *std::max_element(segment, segment + frames * width);
      const double allowed = decibels ? 1e-3 : 1e-5 * top;
      for (std::int64_t i = 0; i < kept_size; ++i)
        for (std::int64_t k = 0; k < width; ++k) {
          const double a = segment[kept[static_cast<std::size_t>(i)] * width + k];
          const double b = expected[static_cast<std::size_t>((s * kept_size + i) * width + k)];
          ASSERT_TRUE(std::isfinite(a)) << s << " " << i << " " << k;
          ASSERT_LE(std::abs(a - b), allowed)
              << "segment " << s << " frame " << kept[static_cast<std::size_t>(i)] << " value " << k << ": " << a
              << " and not " << b;
          if (allowed > 0) worst = std::max(worst, std::abs(a - b) / allowed);
        }
    }
    RecordProperty("case_" + c.name, std::to_string(worst));
    if (std::getenv("TIMBRE_SHOW_ERRORS")) std::printf("%5.3f of the tolerance: %s\n", worst, text.c_str());
  }
}

TEST(Librosa, WindowsAreScipysPeriodicOnes) {
  const auto file = H5File::open(TIMBRE_TEST_DATA "/librosa_features.h5");
  for (const auto& child : file.children("/windows")) {
    SCOPED_TRACE(child.name);
    const auto expected = file.read_doubles("/windows/" + child.name);
    const auto window = make_window(child.name, static_cast<int>(expected.size()), 30);
    for (std::size_t i = 0; i < expected.size(); ++i) EXPECT_NEAR(window[i + 2], expected[i], 6e-8);
    for (std::size_t i : {0, 1, 27, 28, 29}) EXPECT_EQ(window[i], 0.0f);
  }
}

TEST(Librosa, GivesTheSameMfccsForRealClips) {
  const std::filesystem::path folder = TIMBRE_SHARED_DATA "/gtzan_mini";
  const auto file = H5File::open(TIMBRE_TEST_DATA "/librosa_gtzan.h5");
  const auto names = file.read_texts("/name");
  const auto expected = file.read_floats("/mfcc");
  if (!std::filesystem::exists(folder / names.front())) GTEST_SKIP() << "no clips below " << folder;
  const std::int64_t samples = 66150;
  const auto engine = make_cpu_feature_engine(options_of("n_mfcc: 13"), samples);
  ASSERT_EQ(engine->shape(), Shape({130, 13}));
  std::vector<float> out(130 * 13);
  for (std::size_t i = 0; i < names.size(); ++i) {
    SCOPED_TRACE(names[i]);
    const auto clip = audio::read_all(folder / names[i], 22050);
    ASSERT_GE(clip.size(), 2u * samples);
    engine->compute(clip.data() + samples, 1, out.data());
    for (std::size_t k = 0; k < out.size(); ++k) ASSERT_NEAR(out[k], expected[i * out.size() + k], 1e-3) << k;
  }
}

}  // namespace
}  // namespace timbre::features
