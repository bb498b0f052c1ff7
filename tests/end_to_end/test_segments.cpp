// dataset.segment from files to result and prediction: clips of any length in one set.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "end_to_end/melody.hpp"
#include "end_to_end/process.hpp"
#include "storage/hdf5.hpp"

namespace timbre::end_to_end {
namespace {

namespace fs = std::filesystem;

class SegmentsOfFiles : public testing::Test {
 protected:
  const TemporaryFolder folder;
  SegmentsOfFiles() {
    // 12 clips of each of two genres, none of which is one of the others: 0.1 to 8 s.
    const double seconds[] = {0.1, 0.9, 0.97, 1, 1.5, 1.96, 2, 2.3, 3, 4.98, 5.5, 8};
    int rate = 8000;  // another pitch for each, so that no two are near duplicates
    for (const char* genre : {"high", "low"})
      for (std::size_t i = 0; i < std::size(seconds); ++i, rate += 250)
        EXPECT_TRUE(write_audio(folder / "songs" / genre / fmt::format("{:02}.wav", i),
                                SF_FORMAT_WAV | SF_FORMAT_PCM_16, rate, 1, seconds[i]));
    write_file(folder / "a.yaml", R"(experiment: a
dataset: {path: songs, segment: {seconds: 1}}
features: {kind: log_mel, sample_rate: 8000, n_fft: 512, hop_length: 256, n_mels: 16}
model: [flatten, dense: {units: classes, activation: softmax}]
training: {epochs: 1, batch_size: 20}
)");
  }
  Outcome go(const std::string& tool, std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), std::string(TIMBRE_BIN_DIR) + "/" + tool);
    return run_process(arguments, {.folder = folder.path()});
  }
};

TEST_F(SegmentsOfFiles, ArePaddedCountedToldAndStored) {
  const auto o = go("run_experiment", {"a.yaml", "--out", "run"});
  ASSERT_EQ(o.status, 0) << o.err;
  // Of each genre: 0.1 and 0.9 s are padded, 0.97, 1.96 and 4.98 s lack less than the tolerance, 1.5, 2.3 and 5.5 s leave a
  // remainder.
  const std::string told =
      "segments: 64 of 24 clips: 4 short clips are padded, 6 last segments are padded within the tolerance, "
      "6 remainders are dropped (2.6 s of sound in all are left out)";
  EXPECT_NE(o.err.find(told), o.err.npos) << o.err;
  const auto file = storage::H5File::open(folder / "run/result.h5");
  EXPECT_EQ(file.int_attribute("/segments", "segments"), 64);
  EXPECT_EQ(file.int_attribute("/segments", "short_clips_padded"), 4);
  EXPECT_EQ(file.int_attribute("/segments", "padded_within_tolerance"), 6);
  EXPECT_NEAR(file.double_attribute("/segments", "seconds_dropped"), 2.6, 0.01);
  EXPECT_NE(go("inspect", {"run/result.h5"}).out.find(told), std::string::npos);
  EXPECT_NE(go("run_experiment", {"a.yaml", "--dry-run"}).out.find(told), std::string::npos);
  // predict cuts as training did, and reproduce reads it from the record.
  const auto p = go("predict", {"run/result.h5", "songs/high/00.wav", "songs/low/10.wav"});
  EXPECT_EQ(p.status, 0) << p.err;
  EXPECT_NE(p.out.find("00.wav: "), p.out.npos);
  EXPECT_NE(p.out.find("(1 segment, "), p.out.npos) << p.out;
  EXPECT_NE(p.out.find("(5 segments, "), p.out.npos) << p.out;
  const auto again = go("reproduce", {"run/result.h5"});
  EXPECT_EQ(again.status, 0) << again.out << again.err;
}

TEST_F(SegmentsOfFiles, MayOverlapAndPadWhatIsLeft) {
  const auto o = go("extract_features", {"a.yaml", "--set",
                                         "dataset.segment={seconds: 1, hop_seconds: 0.5, short: drop, "
                                         "remainder: pad, pad: repeat, tolerance_seconds: 0}",
                                         "-o", "f.h5"});
  ASSERT_EQ(o.status, 0) << o.err;
  const auto clips = storage::H5File::open(folder / "f.h5").read_ints("/clip");
  // 1, 1.5, 1.96, 2, 2.3, 3, 4.98, 5.5 and 8 s
  std::vector<int> counts(18);
  for (const auto c : clips) ++counts.at(std::size_t(c));
  EXPECT_EQ(std::vector<int>(counts.begin(), counts.begin() + 9),
            (std::vector<int>{1, 2, 3, 3, 4, 5, 9, 10, 15}));
}

TEST_F(SegmentsOfFiles, OfWholeClipsAreOneEach) {
  const auto o =
      go("extract_features", {"a.yaml", "--set", "dataset.segment={seconds: whole}", "-o", "f.h5"});
  ASSERT_EQ(o.status, 0) << o.err;
  const auto file = storage::H5File::open(folder / "f.h5");
  EXPECT_EQ(file.shape("/features"), Shape({24, 251, 16}));  // 8 s, the longest
  EXPECT_EQ(file.double_attribute("/", "segment_seconds"), 8);
  const auto shown =
      go("run_experiment", {"a.yaml", "--set", "dataset.segment={seconds: whole}", "--dry-run"});
  EXPECT_NE(shown.out.find("length_seconds: 8"), shown.out.npos) << shown.out;
  const auto cut =
      go("extract_features",
         {"a.yaml", "--set", "dataset.segment={seconds: whole, length_seconds: 2}", "-o", "g.h5"});
  ASSERT_EQ(cut.status, 0) << cut.err;
  EXPECT_EQ(storage::H5File::open(folder / "g.h5").shape("/features"), Shape({24, 63, 16}));
}

TEST_F(SegmentsOfFiles, ShorterThanAllowedEndTheWork) {
  const auto o = go("run_experiment", {"a.yaml", "--set", "dataset.segment.short=error"});
  EXPECT_EQ(o.status, 2);
  EXPECT_EQ(
      o.err.find(
          "run_experiment: --set dataset.segment.short: error: high/00.wav: shorter than one segment of 1 s"),
      0u)
      << o.err;
}

TEST_F(SegmentsOfFiles, AreWhatTheyWereWithoutTheKey) {
  const auto o = go("run_experiment", {"a.yaml", "--set", "dataset.segment=null", "--set",
                                       "dataset.segment_seconds=1", "--out", "run"});
  ASSERT_EQ(o.status, 0) << o.err;
  // Of each genre: 0.1, 0.9 and 0.97 s give nothing, 1.5, 1.96, 2.3, 4.98 and 5.5 s leave something behind.
  EXPECT_NE(o.err.find("segments: 54 of 24 clips: 6 short clips are dropped, 10 remainders are dropped"),
            o.err.npos)
      << o.err;
  const auto file = storage::H5File::open(folder / "run/result.h5");
  EXPECT_FALSE(file.exists("/segments"));
  EXPECT_EQ(file.read_text("/config").find("segment:"), std::string::npos);
}

}  // namespace
}  // namespace timbre::end_to_end
