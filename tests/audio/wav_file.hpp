// A WAV file as 16-bit PCM, mono.
#pragma once

#include <cmath>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace timbre::test {

inline void write_wav(const std::filesystem::path& file, const std::vector<float>& samples, int rate) {
  std::string text;
  const auto put = [&](std::uint32_t value, int bytes) {
    for (int i = 0; i < bytes; ++i) text += char(value >> (8 * i) & 255);
  };
  const auto size = std::uint32_t(2 * samples.size());
  text += "RIFF", put(36 + size, 4), text += "WAVEfmt ", put(16, 4), put(1, 2), put(1, 2);
  put(std::uint32_t(rate), 4), put(std::uint32_t(2 * rate), 4), put(2, 2), put(16, 2), text += "data",
      put(size, 4);
  for (const float v : samples) put(std::uint32_t(std::int32_t(std::lround(v * 32767))), 2);
  std::filesystem::create_directories(file.parent_path());
  std::ofstream(file, std::ios::binary) << text;
}

}  // namespace timbre::test
