// Memory does not grow with the data: of extraction, of training whose features stay on disk, of prediction.
#include <gtest/gtest.h>

#include <cstdint>
#include <cstdio>
#include <fstream>

#include "robustness/support.hpp"

namespace timbre::robustness {
namespace {

struct Memory : testing::Test {
  const end_to_end::TemporaryFolder root;
  void SetUp() override {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    GTEST_SKIP() << "the sanitizer keeps freed memory: what would be measured is its quarantine";
#endif
    end_to_end::write_file(root / "run.yaml", small_run());
  }
  std::int64_t peak_of(const std::vector<std::string>& command) {
    Child child(command, root.path());
    EXPECT_EQ(child.wait(), 0) << child.err();
    return child.peak_bytes();
  }
  static void show(const char* what, std::int64_t data, std::int64_t peak) {
    std::printf("%-40s %7.1f MB, largest resident set %6.1f MB\n", what, double(data) / 1e6,
                double(peak) / 1e6);
  }
};

// Spectrograms: 0.18 MB a segment, so that features held in memory would show.
std::vector<std::string> spectrograms(int clips_per_genre) {
  return {"--threads", "2",
          "--set",     "features.kind=spectrogram",
          "--set",     "features.standardise=false",
          "--set",     "dataset.synthetic.clip_seconds=3",
          "--set",     "dataset.synthetic.clips_per_genre=" + std::to_string(clips_per_genre)};
}
// A WAV file, 16 bits, mono, 22,050 Hz: 2.6 MB a minute.
void write_tone(const fs::path& file, int seconds) {
  std::ofstream out(file, std::ios::binary);
  const auto number = [&](std::uint32_t value, int bytes) {
    out.write(reinterpret_cast<const char*>(&value), bytes);
  };
  const std::uint32_t rate = 22050, bytes = rate * 2 * std::uint32_t(seconds);
  out << "RIFF", number(36 + bytes, 4), out << "WAVEfmt ", number(16, 4), number(1, 2), number(1, 2),
      number(rate, 4);
  number(rate * 2, 4), number(2, 2), number(16, 2), out << "data", number(bytes, 4);
  std::vector<std::int16_t> second(rate);
  for (std::uint32_t i = 0; i < rate; ++i) second[i] = std::int16_t(int(i * i % 20011) - 10000);
  for (int s = 0; s < seconds; ++s)
    out.write(reinterpret_cast<const char*>(second.data()), std::streamsize(second.size() * 2));
}
std::vector<std::string> join(std::vector<std::string> a, const std::vector<std::string>& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

TEST_F(Memory, OfExtractionIsFlatWhenTheDataGrowTenfold) {
  std::int64_t peak[2], bytes[2];
  for (int i = 0; i < 2; ++i) {
    peak[i] = peak_of(join({end_to_end::command("extract_features"), "run.yaml", "-o", "features.h5"},
                           spectrograms(i == 0 ? 1 : 10)));
    bytes[i] = std::int64_t(fs::file_size(root / "features.h5"));
    show(i == 0 ? "features of 10 clips" : "features of 100 clips", bytes[i], peak[i]);
  }
  EXPECT_GT(bytes[1], 9 * bytes[0]);
  EXPECT_LT(peak[1] - peak[0], (bytes[1] - bytes[0]) / 3);
}

TEST_F(Memory, OfTrainingIsFlatWhenFeaturesStayOnDisk) {
  const auto train = [&](int clips, const char* memory, const char* out) {
    return peak_of(join(
        {end_to_end::command("run_experiment"), "run.yaml", "--out", out, "--feature-memory", memory, "--set",
         "training.epochs=1", "--set", "model=[flatten: {}, dense: {units: classes, activation: softmax}]"},
        spectrograms(clips)));
  };
  const auto few = train(5, "0", "few"), many = train(30, "0", "many"), held = train(30, "1000", "held");
  std::int64_t store = 0;
  for (const auto& file : fs::directory_iterator(root / "runs/features"))
    store = std::max<std::int64_t>(store, file.is_regular_file() ? std::int64_t(file.file_size()) : 0);
  show("training on 50 clips, from disk", store / 6, few);
  show("training on 300 clips, from disk", store, many);
  show("training on 300 clips, held in memory", store, held);
  EXPECT_LT(many - few, store / 4);
  EXPECT_GT(held - many, store / 2);
}

TEST_F(Memory, OfPredictionIsFlatWhenAFileGrowsTenfold) {
  ASSERT_NE(peak_of({end_to_end::command("run_experiment"), "run.yaml", "--out", "run", "--set",
                     "training.epochs=1"}),
            0);
  std::int64_t peak[2], bytes[2];
  for (int i = 0; i < 2; ++i) {
    const auto file = root / (i == 0 ? "short.wav" : "long.wav");
    write_tone(file, i == 0 ? 60 : 1200);
    bytes[i] = std::int64_t(fs::file_size(file));
    peak[i] = peak_of({end_to_end::command("predict"), "run/result.h5", file.string()});
    show(i == 0 ? "predict, one minute" : "predict, twenty minutes", bytes[i], peak[i]);
  }
  EXPECT_LT(peak[1] - peak[0], (bytes[1] - bytes[0]) / 5);
}

// Each segment gives out 1.5 million numbers: predict takes fewer of them at once than it would of a small network.
TEST_F(Memory, OfPredictionIsBoundedForAWideNetwork) {
  std::string model = "model=[";
  for (int i = 0; i < 40; ++i) model += "conv2d: {filters: 64, kernel_size: [1, 1]}, ";
  model += "flatten: {}, dense: {units: classes, activation: softmax}]";
  ASSERT_NE(peak_of({end_to_end::command("run_experiment"), "run.yaml", "--out", "run", "--set",
                     "training.epochs=1", "--set", "training.batch_size=4", "--set", model}),
            0);
  write_tone(root / "long.wav", 200);
  const auto peak = peak_of({end_to_end::command("predict"), "run/result.h5", (root / "long.wav").string()});
  show("predict with a wide network", std::int64_t(fs::file_size(root / "long.wav")), peak);
  EXPECT_LT(peak, std::int64_t{300} << 20);
}

}  // namespace
}  // namespace timbre::robustness
