// Dry runs and lists of studies tell what the run does, and the guard keeps copies together, on files.
#include <gtest/gtest.h>
#include <sndfile.h>

#include <cstdint>
#include <vector>

#include "core/philox.hpp"
#include "end_to_end/process.hpp"
#include "results/run_record.hpp"

namespace timbre::end_to_end {
namespace {

namespace fs = std::filesystem;

bool has(const std::string& text, const std::string& part) { return text.find(part) != text.npos; }

void write_noise(const fs::path& file, std::uint64_t seed, double seconds, int format, float gain = 1) {
  fs::create_directories(file.parent_path());
  PhiloxSequence random(seed, 94);
  std::vector<float> x(std::size_t(seconds * 22050));
  float low = 0;
  for (auto& v : x) low += 0.2f * (float(random.uniform(-1, 1)) - low), v = gain * low;
  SF_INFO info{};
  info.samplerate = 22050, info.channels = 1, info.format = format;
  auto* out = sf_open(file.c_str(), SFM_WRITE, &info);
  ASSERT_NE(out, nullptr);
  sf_write_float(out, x.data(), sf_count_t(x.size()));
  sf_close(out);
}
constexpr int wav = SF_FORMAT_WAV | SF_FORMAT_PCM_16, mp3 = SF_FORMAT_MPEG | SF_FORMAT_MPEG_LAYER_III;

class LeaksOnFiles : public testing::Test {
 protected:
  void SetUp() override {
    for (const std::string genre : {"a", "b"})
      for (int i = 0; i < 10; ++i)
        write_noise(folder / "songs" / genre / (std::to_string(i) + ".wav"),
                    (genre == "b") * 100 + std::uint64_t(i), 6.5, wav);
    write_noise(folder / "songs/a/again.mp3", 3, 6.5, mp3);
    write_noise(folder / "songs/b/again.wav", 104, 6.5, wav, 0.5f);
    write_noise(folder / "songs/b/short.wav", 900, 1, wav);
    write_file(folder / "c.yaml", R"(experiment: leaks
dataset: {path: songs}
model: [flatten, {dense: {units: classes, activation: softmax}}]
training: {epochs: 1}
)");
  }
  Outcome run(const std::string& name, std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), command(name));
    return run_process(arguments, {.folder = folder.path()});
  }
  TemporaryFolder folder;
};

TEST_F(LeaksOnFiles, ADryRunShowsTheSplitThatTheRunHas) {
  const auto plan = run("run_experiment", {"c.yaml", "--dry-run"});
  EXPECT_EQ(plan.status, 0) << plan.err;
  EXPECT_TRUE(has(plan.out, "skipped: b/short.wav: shorter than one segment of 3 s (66150 samples): 1 s"))
      << plan.out;
  EXPECT_TRUE(has(plan.out, "2 pairs of clips are copies or near duplicates, kept together")) << plan.out;
  const auto done = run("run_experiment", {"c.yaml", "--out", "r"});
  ASSERT_EQ(done.status, 0) << done.err;
  const auto begin = plan.out.find("train  "), end = plan.out.find("test clips also in train");
  ASSERT_LT(begin, end);
  EXPECT_LT(done.err.find("skipped: b/short.wav: shorter than"), done.err.find("test        clip accuracy"))
      << "the figures stand last, where a person looks\n"
      << done.err;
  EXPECT_TRUE(has(done.err, plan.out.substr(begin, end - begin))) << plan.out << done.err;
  const auto record = results::read_result(folder / "r/result.h5");
  ASSERT_EQ(record.split.related.size(), 2u);
  for (const auto& pair : record.split.related) EXPECT_EQ(pair.part_a, pair.part_b);
  EXPECT_EQ(record.split.related[0].clips.clip_b, "a/again.mp3");
  EXPECT_FALSE(record.split.leaks);

  const auto again = run("reproduce", {"r/result.h5", "--out", "again"});
  EXPECT_EQ(again.status, 0) << again.out << again.err;
}

TEST_F(LeaksOnFiles, ALeakShowsAtOnceAndMayBeRefused) {
  const auto plan = run("run_experiment", {"c.yaml", "--set", "split.group_by=segment", "--dry-run"});
  EXPECT_EQ(plan.status, 0) << plan.err;
  EXPECT_TRUE(has(plan.out, "LEAKS: ")) << plan.out;
  const auto refused = run("run_experiment", {"c.yaml", "--set", "split.group_by=segment", "--set",
                                              "leakage=refuse", "--out", "r"});
  EXPECT_EQ(refused.status, 2);
  EXPECT_EQ(line_count(refused.err.substr(refused.err.find("run_experiment: "))), 1u) << refused.err;
  EXPECT_TRUE(has(refused.err, "leakage: refuse: ")) << refused.err;
  EXPECT_FALSE(fs::exists(folder / "r"));
  const auto wrong = run("run_experiment", {"c.yaml", "--set", "leakage=perhaps"});
  EXPECT_EQ(wrong.status, 2);
  EXPECT_TRUE(has(wrong.err, "leakage")) << wrong.err;
}

TEST_F(LeaksOnFiles, AStudyWithARunThatMustFailIsRefusedBeforeItsFirst) {
  write_file(folder / "s.yaml",
             "study: s\nbase: c.yaml\naxes: {split.group_by: [clip, segment]}\nseeds: [0, 1]\n");
  const auto list = run("run_study", {"s.yaml", "--list"});
  EXPECT_EQ(list.status, 0) << list.err;
  EXPECT_TRUE(has(list.out, "run 2: LEAKS: ")) << list.out;
  EXPECT_TRUE(has(list.out, "all runs: skipped: b/short.wav: ")) << list.out;
  const auto refused = run("run_study", {"s.yaml", "--set", "leakage=refuse", "--out", "st"});
  EXPECT_EQ(refused.status, 2);
  EXPECT_TRUE(has(refused.err, "leakage: refuse: ")) << refused.err;
  EXPECT_FALSE(fs::exists(folder / "st"));
  // Clips that all are too short for one of the runs.
  write_file(folder / "t.yaml", "study: t\nbase: c.yaml\naxes: {dataset.segment_seconds: [3, 7]}\n");
  const auto short_clips = run("run_study", {"t.yaml", "--out", "tt"});
  EXPECT_EQ(short_clips.status, 2);
  EXPECT_TRUE(has(short_clips.err, "no clip of the class 'a' can be used")) << short_clips.err;
  EXPECT_FALSE(fs::exists(folder / "tt"));
}

}  // namespace
}  // namespace timbre::end_to_end
