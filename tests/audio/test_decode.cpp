#include <gtest/gtest.h>
#include <sndfile.h>

#include <cmath>
#include <fstream>
#include <limits>
#include <numbers>
#include <optional>
#include <sstream>
#include <string_view>

#include "../storage/temporary_folder.hpp"
#include "audio/decode.hpp"
#include "audio/decoder_messages.hpp"
#include "core/error.hpp"

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/lsan_interface.h>
#endif

namespace timbre::audio {
namespace {

/// libsndfile 1.2.0 does not give back its Vorbis header when it refuses a damaged Ogg file: while this lives,
/// allocations are not reported as leaks. Other memory errors are.
struct NoLeakReports {
#ifdef __SANITIZE_ADDRESS__
  NoLeakReports() { __lsan_disable(); }
  ~NoLeakReports() { __lsan_enable(); }
#else
  NoLeakReports() {}
#endif
};

using test::message_of;
using test::TemporaryFolder;
using Path = std::filesystem::path;

/// Interleaved samples into a file of any format that libsndfile writes; false where it cannot.
[[nodiscard]] bool write_audio(const Path& path, int format, int rate, int channels,
                               const std::vector<float>& x) {
  SF_INFO info{};
  info.samplerate = rate, info.channels = channels, info.format = format;
  SNDFILE* f = sf_open(path.c_str(), SFM_WRITE, &info);
  if (!f) return false;
  const auto n = sf_writef_float(f, x.data(), static_cast<sf_count_t>(x.size()) / channels);
  sf_close(f);
  return n == static_cast<sf_count_t>(x.size()) / channels;
}

std::vector<float> sine(double hz, int rate, std::size_t n, double level = 0.5) {
  std::vector<float> x(n);
  for (std::size_t i = 0; i < n; ++i)
    x[i] = static_cast<float>(level * std::sin(2 * std::numbers::pi * hz * static_cast<double>(i) / rate));
  return x;
}

/// Largest distance from the expected sine, away from both ends.
double distance(const std::vector<float>& x, double hz, int rate, std::size_t margin = 500) {
  const auto expected = sine(hz, rate, x.size());
  double worst = 0;
  for (std::size_t i = margin; i + margin < x.size(); ++i)
    worst = std::max(worst, std::abs(double(x[i]) - expected[i]));
  return worst;
}

std::string reason(const Path& path, int rate = 22050) {
  return message_of<Error>([&] { read_all(path, rate); });
}

constexpr int wav16 = SF_FORMAT_WAV | SF_FORMAT_PCM_16;

TEST(AudioReader, ReadsSixteenBitSamplesExactly) {
  const TemporaryFolder folder;
  std::vector<short> written;
  std::vector<float> x;
  for (int i = -32768; i < 32768; i += 7) {
    written.push_back(static_cast<short>(i));
    x.push_back(static_cast<float>(i) / 32768.0f);
  }
  for (const auto& [name, format] :
       {std::pair{"x.wav", wav16}, std::pair{"x.au", SF_FORMAT_AU | SF_FORMAT_PCM_16},
        std::pair{"x.flac", SF_FORMAT_FLAC | SF_FORMAT_PCM_16}}) {
    SCOPED_TRACE(name);
    SF_INFO info{};
    info.samplerate = 22050, info.channels = 1, info.format = format;
    SNDFILE* f = sf_open((folder / name).c_str(), SFM_WRITE, &info);
    ASSERT_NE(f, nullptr);
    sf_writef_short(f, written.data(), static_cast<sf_count_t>(written.size()));
    sf_close(f);
    EXPECT_EQ(read_all(folder / name, 22050), x);
  }
}

TEST(AudioReader, ReadsCompressedFormats) {
  const TemporaryFolder folder;
  const auto x = sine(440, 22050, 44100);
  ASSERT_TRUE(write_audio(folder / "x.ogg", SF_FORMAT_OGG | SF_FORMAT_VORBIS, 22050, 1, x));
  const auto ogg = read_all(folder / "x.ogg", 22050);
  EXPECT_EQ(ogg.size(), x.size());
  EXPECT_LT(distance(ogg, 440, 22050, 3000), 0.03);
#ifdef SF_FORMAT_MPEG
  if (!write_audio(folder / "x.mp3", SF_FORMAT_MPEG | SF_FORMAT_MPEG_LAYER_III, 22050, 1, x))
    GTEST_SKIP() << "this libsndfile writes no MP3";
  const auto mp3 = read_all(folder / "x.mp3", 22050);
  EXPECT_NEAR(static_cast<double>(mp3.size()), static_cast<double>(x.size()), 3000);
  double energy = 0;
  for (std::size_t i = 10000; i < 30000; ++i) energy += double(mp3[i]) * mp3[i];
  EXPECT_NEAR(std::sqrt(2 * energy / 20000), 0.5, 0.02);
#endif
}

TEST(AudioReader, AveragesChannels) {
  const TemporaryFolder folder;
  std::vector<float> x;
  for (int i = 0; i < 100000; ++i) x.insert(x.end(), {0.5f, 0.25f, 0.0f});
  x[3 * 70000] = -0.25f;  // channel 0 of frame 70000
  ASSERT_TRUE(write_audio(folder / "x.wav", wav16, 22050, 3, x));
  AudioReader reader(folder / "x.wav", 22050);
  EXPECT_EQ(reader.file_channels(), 3);
  EXPECT_EQ(reader.file_frames(), 100000);
  const auto y = read_all(folder / "x.wav", 22050);
  ASSERT_EQ(y.size(), 100000u);
  for (std::size_t i = 0; i < y.size(); ++i) ASSERT_EQ(y[i], i == 70000 ? 0.0f : 0.25f) << i;
}

TEST(AudioReader, ResamplingKeepsFrequencyLevelAndLength) {
  const TemporaryFolder folder;
  for (const int rate : {8000, 16000, 44100, 48000, 96000}) {
    SCOPED_TRACE(rate);
    const auto n = static_cast<std::size_t>(rate) * 2;
    ASSERT_TRUE(write_audio(folder / "x.wav", SF_FORMAT_WAV | SF_FORMAT_FLOAT, rate, 1, sine(1000, rate, n)));
    const auto y = read_all(folder / "x.wav", 22050);
    EXPECT_NEAR(static_cast<double>(y.size()), 44100, 1);
    EXPECT_LT(distance(y, 1000, 22050), 2e-5);
  }
}

TEST(AudioReader, ResamplingRemovesWhatTheNewRateCannotHold) {
  const TemporaryFolder folder;
  ASSERT_TRUE(
      write_audio(folder / "x.wav", SF_FORMAT_WAV | SF_FORMAT_FLOAT, 44100, 1, sine(15000, 44100, 88200)));
  const auto y = read_all(folder / "x.wav", 22050);
  for (std::size_t i = 500; i + 500 < y.size(); ++i) ASSERT_LT(std::abs(y[i]), 2e-5) << i;
}

TEST(AudioReader, GivesTheSameSamplesWhateverTheSizeOfTheReads) {
  const TemporaryFolder folder;
  std::vector<float> x = sine(300, 44100, 2 * 60000);
  ASSERT_TRUE(write_audio(folder / "x.wav", wav16, 44100, 2, x));
  for (const int rate : {44100, 22050}) {
    const auto whole = read_all(folder / "x.wav", rate);
    AudioReader reader(folder / "x.wav", rate);
    std::vector<float> pieces, piece(777);
    for (;;) {
      const auto n = reader.read(piece);
      pieces.insert(pieces.end(), piece.begin(), piece.begin() + static_cast<std::ptrdiff_t>(n));
      if (n < piece.size()) break;
    }
    EXPECT_EQ(reader.read(piece), 0u);
    EXPECT_EQ(pieces, whole);
  }
}

TEST(AudioReader, BadFilesAreNamedShortly) {
  const TemporaryFolder folder;
  EXPECT_EQ(reason(folder / "none.wav"), "no such file");
  EXPECT_EQ(reason(folder.path()), "a folder, not a file");
  std::ofstream(folder / "empty.wav").close();
  EXPECT_EQ(reason(folder / "empty.wav"), "empty file");
  std::ofstream(folder / "text.wav") << "This is a text and no sound, though its name promises one.\n";
  EXPECT_EQ(reason(folder / "text.wav").substr(0, 11), "not audio: ");
  std::ofstream(folder / "text.mp3") << std::string(5000, 'a');
  EXPECT_EQ(reason(folder / "text.mp3"), "not audio: Format not recognised") << "the file is there";
  std::ofstream(folder / "text.au") << std::string(5000, 'a');
  EXPECT_EQ(reason(folder / "text.au"), "not audio: no header");
  std::ofstream(folder / "zero.wav") << std::string(5000, '\0');
  EXPECT_EQ(reason(folder / "zero.wav").substr(0, 11), "not audio: ");
  ASSERT_TRUE(write_audio(folder / "nothing.wav", wav16, 22050, 1, {}));
  EXPECT_EQ(reason(folder / "nothing.wav"), "empty file (no samples)");
  ASSERT_TRUE(write_audio(folder / "nothing44.wav", wav16, 44100, 2, {}));
  EXPECT_EQ(reason(folder / "nothing44.wav"), "empty file (no samples)");
  EXPECT_EQ(message_of<RequestError>([&] { AudioReader(folder / "nothing.wav", 0); }),
            "a sample rate must be between 1000 and 768000 Hz, not 0");
  ASSERT_TRUE(write_audio(folder / "slow.wav", wav16, 3, 1, {0.0f, 0.5f}));
  EXPECT_EQ(reason(folder / "slow.wav"), "corrupt: a sample rate of 3 Hz");
}

TEST(AudioReader, WhatADecoderSaysBeginsWithTheNameOfItsFile) {
  name_decoder_messages();
  const TemporaryFolder folder;
  const auto file = folder / "text.mp3";
  std::ofstream(file) << std::string(5000, 'a');
  testing::internal::CaptureStderr();
  EXPECT_NE(reason(file), "");
  std::fputs("another line\n", stderr);
  std::istringstream said(testing::internal::GetCapturedStderr());
  int of_decoder = 0;
  std::string line, last;
  for (; std::getline(said, line); last = line) of_decoder += line.starts_with(file.string() + ": ");
  EXPECT_EQ(last, "another line") << "what others say passes as it is";
  if (of_decoder == 0) GTEST_SKIP() << "this libsndfile says nothing of a text named .mp3";
  EXPECT_GE(of_decoder, 1);
}

TEST(AudioReader, SamplesThatAreNoNumbersAreRefused) {
  const TemporaryFolder folder;
  for (const float bad :
       {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(), 1e30f})
    for (const int rate : {22050, 44100})
      for (const int channels : {1, 2}) {
        auto x = sine(300, rate, 30000);
        x[20000] = bad;
        ASSERT_TRUE(write_audio(folder / "x.wav", SF_FORMAT_WAV | SF_FORMAT_FLOAT, rate, channels, x));
        EXPECT_EQ(reason(folder / "x.wav"), std::isfinite(bad) ? "corrupt: contains samples beyond 1e+09"
                                                               : "contains NaN or infinite samples");
      }
}

TEST(AudioReader, OfATruncatedFileWhatIsThereIsRead) {
  const TemporaryFolder folder;
  const auto x = sine(440, 22050, 44100);
  for (const auto& [name, format] :
       {std::pair{"x.wav", wav16}, std::pair{"x.au", SF_FORMAT_AU | SF_FORMAT_PCM_16},
        std::pair{"x.flac", SF_FORMAT_FLAC | SF_FORMAT_PCM_16}}) {
    SCOPED_TRACE(name);
    ASSERT_TRUE(write_audio(folder / name, format, 22050, 1, x));
    const auto whole = read_all(folder / name, 22050);
    std::filesystem::resize_file(folder / name, std::filesystem::file_size(folder / name) / 2);
    const auto y = read_all(folder / name, 22050);
    ASSERT_GT(y.size(), 10000u);
    ASSERT_LT(y.size(), 30000u);
    EXPECT_TRUE(std::equal(y.begin(), y.end(), whole.begin()));
  }
}

TEST(AudioReader, DamagedFilesGiveSamplesOrAReasonButNeverHarm) {
  const TemporaryFolder folder;
  const auto x = sine(440, 22050, 8000);
  for (const auto& [name, format] :
       {std::pair{"x.wav", wav16}, std::pair{"x.au", SF_FORMAT_AU | SF_FORMAT_PCM_16},
        std::pair{"x.flac", SF_FORMAT_FLAC | SF_FORMAT_PCM_16},
        std::pair{"x.ogg", SF_FORMAT_OGG | SF_FORMAT_VORBIS}}) {
    SCOPED_TRACE(name);
    ASSERT_TRUE(write_audio(folder / name, format, 22050, 1, x));
    const auto bytes = test::bytes_of(folder / name);
    std::optional<NoLeakReports> unreported;
    if (std::string_view(name) == "x.ogg") unreported.emplace();
    for (std::size_t place = 4; place < 120; place += 5) {
      auto damaged = bytes;
      damaged[place] = static_cast<char>(~damaged[place]);
      std::ofstream(folder / "y", std::ios::binary) << damaged;
      try {
        for (const float v : read_all(folder / "y", 22050)) ASSERT_TRUE(std::isfinite(v));
      } catch (const Error& e) {
        EXPECT_EQ(std::string(e.what()).find('\n'), std::string::npos);
      }
    }
  }
}

}  // namespace
}  // namespace timbre::audio
