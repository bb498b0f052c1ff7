// Made-up songs in the formats that people have.
#pragma once

#include <sndfile.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <numbers>
#include <vector>

namespace timbre::end_to_end {

/// The same two seconds of tones, again and again, at any rate: a melody of four notes with overtones.
inline float melody(double seconds) {
  static constexpr double notes[] = {220, 277.2, 329.6, 440};
  const double t = std::fmod(seconds, 2.0), hertz = notes[int(t * 2)], within = std::fmod(t, 0.5);
  const double phase = 2 * std::numbers::pi * hertz * within;
  return float(0.3 * std::exp(-4 * within) *
               (std::sin(phase) + 0.5 * std::sin(2 * phase) + 0.2 * std::sin(5 * phase)));
}

/// False where this libsndfile does not write the format.
inline bool write_audio(const std::filesystem::path& file, int format, int rate, int channels,
                        double seconds) {
  std::filesystem::create_directories(file.parent_path());
  SF_INFO info{};
  info.samplerate = rate, info.channels = channels, info.format = format;
  if (!sf_format_check(&info)) return false;
  SNDFILE* out = sf_open(file.c_str(), SFM_WRITE, &info);
  if (!out) return false;
  std::vector<float> block;
  const auto frames = std::int64_t(seconds * rate);
  for (std::int64_t i = 0; i < frames;) {
    block.clear();
    for (const auto end = std::min<std::int64_t>(frames, i + 4096); i < end; ++i)
      for (int c = 0; c < channels; ++c) block.push_back(melody(double(i) / rate));
    sf_writef_float(out, block.data(), sf_count_t(block.size()) / channels);
  }
  return sf_close(out) == 0;
}

}  // namespace timbre::end_to_end
