// Audio files in the formats that libsndfile writes.
#pragma once

#include <gtest/gtest.h>
#include <sndfile.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <vector>

namespace timbre::data::test {

/// Writes mono samples as libsndfile does; `level` is of compression, 0 to 1, where the format has it.
inline void write_audio(const std::filesystem::path& file, const std::vector<float>& x, int sample_rate,
                        int format, double level = -1) {
  std::filesystem::create_directories(file.parent_path());
  SF_INFO info{};
  info.samplerate = sample_rate, info.channels = 1, info.format = format;
  auto* out = sf_open(file.c_str(), SFM_WRITE, &info);
  ASSERT_NE(out, nullptr) << sf_strerror(nullptr);
  if (level >= 0) {
    int constant = SF_BITRATE_MODE_CONSTANT;
    sf_command(out, SFC_SET_BITRATE_MODE, &constant, sizeof constant);
    sf_command(out, SFC_SET_COMPRESSION_LEVEL, &level, sizeof level);
  }
  std::vector<short> whole;
  for (const float v : x) whole.push_back(short(std::lround(std::clamp(v * 32768.0f, -32768.0f, 32767.0f))));
  sf_write_short(out, whole.data(), sf_count_t(whole.size()));
  sf_close(out);
}
inline constexpr int wav = SF_FORMAT_WAV | SF_FORMAT_PCM_16, flac = SF_FORMAT_FLAC | SF_FORMAT_PCM_16,
                     mp3 = SF_FORMAT_MPEG | SF_FORMAT_MPEG_LAYER_III;
/// 128 kb/s on libsndfile's scale from 160 to 8 kb/s at 22,050 Hz.
inline constexpr double kilobits_128 = (160.0 - 128) / (160 - 8);

}  // namespace timbre::data::test
