// Features against librosa 0.11 in float64 (golden/librosa_features.py).
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "audio/decode.hpp"
#include "features/conformance.hpp"
#include "features/engine.hpp"
#include "features/window.hpp"
#include "storage/hdf5.hpp"

namespace timbre::features {
namespace {

using storage::H5File;

TEST(Librosa, GivesTheSameFeaturesForEveryGoldenCase) { expect_librosas_values("cpu"); }

TEST(Librosa, GivesTheSameFurtherFeaturesListsChangesAndSummaries) { expect_librosas_further_values("cpu"); }

TEST(Librosa, WindowsAreScipysPeriodicOnes) {
  const auto file = H5File::open(golden_file("librosa_features.h5"));
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
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << "no clips below " << folder;
  const auto file = H5File::open(golden_file("librosa_gtzan.h5"));
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
