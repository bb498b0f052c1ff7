// plot_features as a person calls it.
#include <gtest/gtest.h>

#include "audio/wav_file.hpp"
#include "end_to_end/process.hpp"
#include "end_to_end/small_run.hpp"

namespace timbre::end_to_end {
namespace {

namespace fs = std::filesystem;

class PlotFeatures : public testing::Test {
 protected:
  PlotFeatures() {
    write_small_run(folder_ / "small.yaml", "mlp");
    std::vector<float> samples(5 * 8000);
    for (std::size_t i = 0; i < samples.size(); ++i) samples[i] = float(i % 40) / 40 - 0.5f;
    test::write_wav(folder_ / "song.wav", samples, 8000);
  }
  Outcome plot(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), command("plot_features"));
    return run_process(arguments, {.folder = folder_.path()});
  }
  /// Status 2, one line that holds `words`, and nothing written.
  void expect_refusal(std::vector<std::string> arguments, const std::string& words) {
    const auto files = [&] { return std::distance(fs::recursive_directory_iterator(folder_.path()), {}); };
    const auto before = files();
    const auto o = plot(std::move(arguments));
    EXPECT_EQ(o.status, 2) << o.err;
    EXPECT_EQ(line_count(o.err), 1u) << o.err;
    EXPECT_NE(o.err.find(words), o.err.npos) << o.err << "lacks: " << words;
    EXPECT_EQ(o.out, "");
    EXPECT_EQ(files(), before) << words;
  }
  TemporaryFolder folder_;
};

TEST_F(PlotFeatures, WritesTheSamePictureTwice) {
  const auto o = plot({"small.yaml", "song.wav", "-o", "a.svg"});
  ASSERT_EQ(o.status, 0) << o.err;
  EXPECT_EQ(last_line(o.out), "picture: a.svg");
  ASSERT_EQ(plot({"small.yaml", "song.wav", "-o", "new/folder/b.svg"}).status, 0);
  const auto svg = read_file(folder_ / "a.svg");
  EXPECT_EQ(svg, read_file(folder_ / "new/folder/b.svg"));
  EXPECT_LT(svg.size(), 300'000u);
  for (const auto* words :
       {"<svg ", ">song.wav<", ">5 s, at 22,050 Hz<", ">Spectrogram<", ">MFCC<", "13 coefficients"})
    EXPECT_NE(svg.find(words), svg.npos) << words;
}

TEST_F(PlotFeatures, ShowsTheStretchAndTheFeaturesAskedFor) {
  const auto o = plot({"small.yaml", "song.wav", "-o", "a.svg", "--offset", "1.5", "--seconds", "2", "--set",
                       "features.n_mels=40", "--set", "features.hop_length=256"});
  ASSERT_EQ(o.status, 0) << o.err;
  const auto svg = read_file(folder_ / "a.svg");
  for (const auto* words : {">1.5 to 3.5 s of 5 s, at 22,050 Hz<", ">40 bands from 0", "every 256 (11.6 ms)"})
    EXPECT_NE(svg.find(words), svg.npos) << words;
}

TEST_F(PlotFeatures, RefusesWrongRequestsInOneLine) {
  write_file(folder_ / "text.wav", "this is no music\n");
  test::write_wav(folder_ / "short.wav", std::vector<float>(100), 22050);
  fs::create_directory(folder_ / "taken.svg");
  expect_refusal({"small.yaml", "missing.wav", "-o", "a.svg"}, "missing.wav: no such file");
  expect_refusal({"small.yaml", "text.wav", "-o", "a.svg"}, "text.wav: ");
  expect_refusal({"small.yaml", ".", "-o", "a.svg"}, "a folder, not a file");
  expect_refusal({"small.yaml", "short.wav", "-o", "a.svg"},
                 "short.wav: shorter than one frame of n_fft 2048");
  expect_refusal({"small.yaml", "song.wav", "-o", "a.svg", "--seconds", "0.01"}, "shorter than one frame");
  expect_refusal({"small.yaml", "song.wav", "-o", "a.svg", "--offset", "5"},
                 "--offset 5 lies behind its end: it has 5 s");
  expect_refusal({"small.yaml", "song.wav", "-o", "a.svg", "--offset", "-1"}, "offset");
  expect_refusal({"small.yaml", "song.wav", "-o", "a.svg", "--seconds", "0"}, "seconds");
  expect_refusal({"small.yaml", "song.wav", "-o", "a.png"}, "-o a.png: only SVG");
  expect_refusal({"small.yaml", "song.wav", "-o", "taken.svg"}, "taken.svg: is a folder");
  expect_refusal({"small.yaml", "song.wav", "-o", "song.wav/a.svg"}, "song.wav");
  expect_refusal({"small.yaml", "song.wav"}, "--output");
  expect_refusal({"missing.yaml", "song.wav", "-o", "a.svg"}, "missing.yaml");
  expect_refusal({"small.yaml", "song.wav", "-o", "a.svg", "--set", "features.n_mel=3"},
                 "did you mean 'n_mels'");
}

}  // namespace
}  // namespace timbre::end_to_end
