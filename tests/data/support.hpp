// Small things the tests of this room share: temporary folders, audio files, the words of an error.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.hpp"

namespace timbre::data::test {

namespace fs = std::filesystem;

/// A folder that is gone after the test.
class TempFolder {
 public:
  TempFolder() {
    auto name = (fs::temp_directory_path() / "timbre-data-XXXXXX").string();
    if (!mkdtemp(name.data())) throw std::runtime_error("no temporary folder");
    path_ = name;
  }
  ~TempFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;
  const fs::path& path() const { return path_; }
  fs::path operator/(const fs::path& name) const { return path_ / name; }

 private:
  fs::path path_;
};

inline void write_text(const fs::path& file, std::string_view text) {
  fs::create_directories(file.parent_path());
  std::ofstream(file, std::ios::binary) << text;
}

/// Little-endian WAV, mono; `float_samples` stores 32-bit floats (which can be NaN), else 16-bit whole numbers.
inline void write_wav(const fs::path& file, const std::vector<float>& samples, int rate = 8000,
                      bool float_samples = false) {
  const std::uint32_t width = float_samples ? 4 : 2,
                      bytes = width * static_cast<std::uint32_t>(samples.size());
  std::string out = "RIFF";
  const auto number = [&](std::uint32_t v, std::uint32_t n) {
    for (std::uint32_t i = 0; i < n; ++i) out += static_cast<char>(v >> 8 * i & 255);
  };
  number(36 + bytes, 4), out += "WAVEfmt ", number(16, 4), number(float_samples ? 3 : 1, 2), number(1, 2);
  number(static_cast<std::uint32_t>(rate), 4), number(static_cast<std::uint32_t>(rate) * width, 4),
      number(width, 2);
  number(8 * width, 2), out += "data", number(bytes, 4);
  for (const float x : samples) {
    std::uint32_t word = 0;
    if (float_samples)
      std::memcpy(&word, &x, 4);
    else
      word = static_cast<std::uint16_t>(std::lround(x * 32767));
    number(word, width);
  }
  write_text(file, out);
}

/// A tone with a beat, different for every `which`.
inline std::vector<float> tone(double seconds, int which, int rate = 8000) {
  std::vector<float> out(static_cast<std::size_t>(std::lround(seconds * rate)));
  for (std::size_t i = 0; i < out.size(); ++i) {
    const double t = double(i) / rate;
    out[i] = static_cast<float>(0.4 * std::sin(6.2831853 * (150 + 37 * which) * t) *
                                (1 + 0.5 * std::sin(9 * t + which)));
  }
  return out;
}

/// What a call complains about; "no error" where it does not. `E` is the error that is expected.
template <class E = RequestError, class F>
std::string complaint(F&& f) {
  try {
    f();
  } catch (const E& e) {
    return e.what();
  }
  return "no error";
}

inline bool contains(const std::string& text, std::string_view part) { return text.find(part) != text.npos; }

#define EXPECT_CONTAINS(text, part)                                      \
  do {                                                                   \
    const std::string whole_ = (text);                                   \
    EXPECT_TRUE(::timbre::data::test::contains(whole_, part)) << whole_; \
  } while (false)

}  // namespace timbre::data::test
