// Extraction takes as much memory for many clips as for few.
#include <gtest/gtest.h>

#include <cstdio>

#include "robustness/support.hpp"

namespace timbre::robustness {
namespace {

TEST(Memory, OfExtractionIsFlatWhenTheDataGrowTenfold) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "the sanitizer keeps freed memory: what would be measured is its quarantine";
#endif
  const end_to_end::TemporaryFolder root;
  end_to_end::write_file(root / "run.yaml", small_run());
  std::int64_t peak[2], bytes[2];
  for (int i = 0; i < 2; ++i) {
    // Spectrograms: 0.18 MB a segment, so that features held in memory would show: 55 MB more for the tenfold.
    Child child({end_to_end::command("extract_features"), "run.yaml", "--threads", "2", "-o", "features.h5", "--set",
                 "features.kind=spectrogram", "--set", "features.standardise=false", "--set", "dataset.synthetic.clip_seconds=3", "--set",
                 std::string("dataset.synthetic.clips_per_genre=") + (i == 0 ? "1" : "10")},
                root.path());
    ASSERT_EQ(child.wait(), 0) << child.err();
    peak[i] = child.peak_bytes();
    bytes[i] = std::int64_t(fs::file_size(root / "features.h5"));
    std::printf("%4d clips: %6.1f MB of features, largest resident set %6.1f MB\n", i == 0 ? 10 : 100, double(bytes[i]) / 1e6, double(peak[i]) / 1e6);
  }
  EXPECT_GT(bytes[1], 9 * bytes[0]);
  EXPECT_LT(peak[1] - peak[0], (bytes[1] - bytes[0]) / 3);
}

}  // namespace
}  // namespace timbre::robustness
