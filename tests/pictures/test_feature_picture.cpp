#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "audio/wav_file.hpp"
#include "core/error.hpp"
#include "core/philox.hpp"
#include "features/engine.hpp"
#include "pictures/feature_picture.hpp"
#include "pictures/feature_rasters.hpp"
#include "plot/read_svg.hpp"
#include "storage/temporary_folder.hpp"

namespace timbre::pictures {
namespace {

using features::FeatureOptions;

constexpr int rate = 22050;
const FeatureOptions options{.n_mfcc = 13};

std::vector<float> sine(double hertz, double seconds) {
  std::vector<float> out(std::size_t(seconds * rate));
  for (std::size_t i = 0; i < out.size(); ++i)
    out[i] = float(0.5 * std::sin(2 * std::numbers::pi * hertz * double(i) / rate));
  return out;
}

std::vector<float> noise(double seconds) {
  PhiloxSequence random(3, 99);
  std::vector<float> out(std::size_t(seconds * rate));
  for (auto& v : out) v = float(random.uniform(-0.9, 0.9));
  return out;
}

std::string picture(const FeatureOptions& o, std::vector<float> samples, double offset = 0) {
  return feature_picture(o, {.samples = std::move(samples), .offset = offset}, "song.wav", "a song");
}

/// The bitmaps of a picture: spectrogram, its bar, mel, its bar, mfcc, its bar.
enum { spectrogram, mel = 2, mfcc = 4, bitmap_count = 6 };

bool holds(const std::string& svg, const std::string& text) {
  const auto texts = test::texts_of(svg);
  return std::any_of(texts.begin(), texts.end(), [&](const auto& t) { return t.text == text; });
}

/// The y of the ticks with this label, from the top down; labels stand 0.35 of their size below their tick.
std::vector<double> ticks_at(const std::string& svg, const std::string& label) {
  std::vector<double> out;
  for (const auto& t : test::texts_of(svg))
    if (t.text == label && t.x < 84) out.push_back(t.y - 0.35 * 11);
  return out;
}

TEST(FeaturePicture, ASineLiesAtItsFrequency) {
  const auto svg = picture(options, sine(1000, 3));
  const auto maps = test::bitmaps_of(svg);
  ASSERT_EQ(maps.size(), std::size_t(bitmap_count));
  const auto ticks = ticks_at(svg, "1,000");
  ASSERT_EQ(ticks.size(), 2u) << "one on the spectrogram, one on the mel bands";

  // The spectrogram: 210 rows, logarithmic from three bins to half the sample rate.
  ASSERT_EQ(maps[spectrogram].height, 210);
  ASSERT_EQ(maps[spectrogram].width, 780);
  const int row = maps[spectrogram].brightest_row(390);
  const double low = 3.0 * rate / 2048, ratio = rate / 2.0 / low;
  EXPECT_NEAR(low * std::pow(ratio, 1 - (row + 0.5) / 210), 1000,
              35);  // a row is 28 Hz wide there, a bin 11 Hz
  EXPECT_NEAR(ticks[0], 220 + row + 0.5, 2);

  const int band = maps[mel].brightest_row(390);
  ASSERT_EQ(maps[mel].height, 128);
  EXPECT_NEAR(ticks[1], 466 + 190 * (band + 0.5) / 128, 190.0 / 128);
}

TEST(FeaturePicture, AnImpulseLiesAtItsTime) {
  std::vector<float> samples(3 * rate, 0.0f);
  samples[rate] = 0.9f;
  auto narrow = options;
  narrow.n_fft = 256, narrow.hop_length = 64, narrow.n_mels = 20;
  const auto svg = picture(narrow, samples);
  const auto maps = test::bitmaps_of(svg);
  ASSERT_EQ(maps.size(), std::size_t(bitmap_count));
  EXPECT_NEAR(maps[spectrogram].brightest_column(100), 260, 1);  // a third of 780 pixels
  EXPECT_NEAR(maps[mel].brightest_column(10), 260, 1);
  EXPECT_LT(maps[spectrogram].brightness(250, 100), 60) << "silence is dark";
}

TEST(FeaturePicture, TheLevelHasItsOwnColours) {
  auto samples = noise(4);
  for (std::size_t i = 0; i < samples.size() / 2; ++i) samples[i] *= 0.001f;
  const auto svg = picture(options, samples);
  const auto map = test::bitmaps_of(svg).at(mfcc);
  ASSERT_EQ(map.height, 13);
  EXPECT_GT(map.brightness(600, 12), map.brightness(200, 12) + 200) << "loud is bright, soft is dark";
  EXPECT_NE(svg.find("coefficient 0, the level, has its own scale: \u2212"), svg.npos);
}

TEST(FeaturePicture, SaysWhatIsShown) {
  const auto svg = picture(options, sine(300, 12), 100);
  for (const auto* text : {"song.wav", "a song", "Waveform", "Spectrogram", "Mel spectrogram", "MFCC",
                           "amplitude", "frequency in Hz", "band centre in Hz", "coefficient", "time in s",
                           "dB", "value", "|STFT|, hann window of 2048 samples (92.9 ms) every 512 (23.2 ms)",
                           "128 bands from 0 to 11,025 Hz, slaney scale", "10,000", "100", "12", "110"})
    EXPECT_TRUE(holds(svg, text)) << text;
  EXPECT_FALSE(holds(svg, "0:00"));
  EXPECT_NE(svg.find("13 coefficients; "), svg.npos);
  auto other = options;
  other.hop_length = 1000, other.n_mels = 40, other.fmax = 4000, other.mel_scale = "htk", other.power = 1;
  const auto changed = picture(other, sine(300, 12));
  EXPECT_TRUE(holds(changed, "40 bands from 0 to 4,000 Hz, htk scale, |STFT| to the power 1"));
  EXPECT_EQ(test::bitmaps_of(changed).at(mel).height, 40);
}

TEST(FeaturePicture, StandsAloneAndIsRepeatable) {
  const auto svg = picture(options, noise(30));
  EXPECT_EQ(test::xml_problem(svg), "");
  EXPECT_EQ(svg, picture(options, noise(30)));
  EXPECT_LT(svg.size(), 300'000u);
  for (const auto* no : {" id=", "<style", "url(", "<script", "<use"})
    EXPECT_EQ(svg.find(no), svg.npos) << no;
  auto wide = options;
  wide.n_mels = 300, wide.n_mfcc = 300;  // nothing compresses less
  EXPECT_LT(picture(wide, noise(30)).size(), 300'000u);
}

TEST(FeaturePicture, DrawsWhateverTheOptions) {
  const auto odd = [](auto change) {
    FeatureOptions o{.n_mfcc = 13};
    change(o);
    return o;
  };
  const std::vector<FeatureOptions> cases = {
      odd([](auto& o) { o.n_fft = 2, o.hop_length = 1, o.n_mels = 1, o.n_mfcc = 1; }),
      odd([](auto& o) { o.n_fft = 64, o.n_mels = 500, o.n_mfcc = 500; }),
      odd([](auto& o) { o.hop_length = 1; }),  // more frames than are taken
      odd([](auto& o) { o.hop_length = 1 << 20; }),
      odd([](auto& o) { o.center = false, o.n_fft = 22050; }),
      odd([](auto& o) { o.kind = "log_mel", o.n_mels = 10, o.n_mfcc = 20; }),  // never asked for coefficients
      odd([](auto& o) { o.kind = "spectrogram", o.top_db.reset(), o.pad_mode = "reflect"; }),
      odd([](auto& o) { o.top_db = 0; }),
      odd([](auto& o) { o.fmin = 3000, o.fmax = 3001, o.n_mels = 13; }),
  };
  for (const auto& o : cases) {
    for (const auto& samples : {sine(500, 2), std::vector<float>(rate), std::vector<float>(rate, 1.0f)}) {
      if (o.n_fft > std::ssize(samples)) continue;
      const auto svg = picture(o, samples);
      EXPECT_EQ(test::xml_problem(svg), "");
      EXPECT_EQ(svg.find("nan"), svg.npos);
      EXPECT_EQ(svg.find("inf"), svg.npos);
      EXPECT_EQ(test::bitmaps_of(svg).size(), std::size_t(bitmap_count));
    }
  }
}

TEST(FeaturePicture, RefusesLessThanAFrame) {
  EXPECT_NE(test::message_of<RequestError>([] {
              picture(options, sine(300, 0.05));
            }).find("shorter than one frame of n_fft 2048 samples (92.9 ms): 1102 samples (50 ms)"),
            std::string::npos);
}

TEST(FeatureRasters, AreTheEnginesNumbers) {
  const auto samples = noise(3);
  const auto r = feature_rasters(options, samples, {129 * 4, 100, 128, 150});
  const auto engine = features::make_cpu_feature_engine(options, std::ssize(samples));
  std::vector<float> values(std::size_t(engine->shape().size()));
  engine->compute(samples.data(), 1, values.data());
  // Frame 43 (0.998 s), coefficient 5, found at its time and row.
  const int x = int(43 * 512.0 / double(samples.size()) * r.mfcc.width);
  EXPECT_EQ(r.mfcc.values[std::size_t((12 - 5) * r.mfcc.width + x)], values[43 * 13 + 5]);
  EXPECT_LE(r.decibels.high - r.decibels.low, 80) << "at most top_db";
  EXPECT_NEAR(feature_rasters(options, sine(1000, 3), {780, 210, 190, 140}).decibels.high,
              20 * std::log10(0.5 * 2048 / 4), 0.5)
      << "level times the sum of the window, halved";
}

TEST(SmallFeaturePicture, IsSmallAndStandsAmongOthers) {
  const auto svg = small_feature_picture(options, noise(3), "rock & <roll>", "rock \"n\" roll");
  EXPECT_EQ(test::xml_problem(svg), "");
  EXPECT_EQ(svg, small_feature_picture(options, noise(3), "rock & <roll>", "rock \"n\" roll"));
  EXPECT_LT(svg.size(), 25'000u);
  EXPECT_EQ(svg.find(" id="), svg.npos);
  EXPECT_TRUE(holds(svg, "rock &amp; &lt;roll&gt;"));
  EXPECT_TRUE(holds(svg, "10k"));
  const auto maps = test::bitmaps_of(small_feature_picture(options, sine(1000, 3), "sine", "sine"));
  ASSERT_EQ(maps.size(), 2u);
  ASSERT_EQ(maps[0].height, 92);
  const double low = 3.0 * rate / 2048;
  EXPECT_NEAR(std::log(low) + std::log(rate / 2.0 / low) * (1 - (maps[0].brightest_row(130) + 0.5) / 92),
              std::log(1000), 0.064);
}

class Excerpts : public testing::Test {
 protected:
  Excerpts() {
    samples_ = noise(3);
    test::write_wav(file_, samples_, rate);
  }
  test::TemporaryFolder folder_;
  std::filesystem::path file_ = folder_ / "a.wav";
  std::vector<float> samples_;
};

TEST_F(Excerpts, AreCutWhereTheyAreAskedFor) {
  const auto s = read_excerpt(file_, rate, 1, 0.5);
  ASSERT_EQ(s.samples.size(), std::size_t(rate / 2));
  for (std::size_t i = 0; i < s.samples.size(); ++i) ASSERT_NEAR(s.samples[i], samples_[rate + i], 1e-4);
  EXPECT_NEAR(s.file_seconds, 3, 1e-9);
  EXPECT_EQ(describe_excerpt(s, rate), "1 to 1.5 s of 3 s");
  EXPECT_EQ(describe_excerpt(read_excerpt(file_, rate, 0, 2), rate), "the first 2 s of 3 s");
  EXPECT_EQ(describe_excerpt(read_excerpt(file_, rate, 0, 30), rate), "3 s");
  EXPECT_EQ(describe_excerpt(read_excerpt(file_, rate, 0, 3), rate), "3 s");
  EXPECT_EQ(describe_excerpt(read_excerpt(file_, rate, 2.5, 30), rate), "2.5 to 3 s of 3 s");
  EXPECT_EQ(describe_excerpt(read_excerpt(file_, 8000, 0, 1), 8000), "the first 1 s of 3 s");
}

TEST_F(Excerpts, SayWhatIsWrongWithAFile) {
  const auto message = [&](const std::filesystem::path& file, double offset) {
    return test::message_of<RequestError>([&] { read_excerpt(file, rate, offset, 30); });
  };
  EXPECT_EQ(message(file_, 3), file_.string() + ": --offset 3 lies behind its end: it has 3 s");
  EXPECT_EQ(message(file_, 1e6), file_.string() + ": --offset 1000000 lies behind its end: it has 3 s");
  EXPECT_EQ(message(folder_ / "no.wav", 0), (folder_ / "no.wav").string() + ": no such file");
  std::ofstream(folder_ / "text.mp3") << "this is no music\n";
  EXPECT_EQ(message(folder_ / "text.mp3", 0).find((folder_ / "text.mp3").string() + ": "), 0u);
  EXPECT_NE(message(folder_.path(), 0).find("a folder"), std::string::npos);
}

}  // namespace
}  // namespace timbre::pictures
