// What the fuzz targets share. A target calls what reads a stranger's bytes; Error is what may come of it, and anything
// else that leaves it (a crash, another exception, what a sanitizer sees, more than 4 GB or 20 s) is a finding.
#pragma once

#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include "core/error.hpp"

namespace timbre::fuzz {

/// A folder of this process, in memory where the system has one.
inline const std::filesystem::path& folder() {
  static const auto path = [] {
    const std::filesystem::path memory = "/dev/shm";
    auto out = (std::filesystem::exists(memory) ? memory : std::filesystem::temp_directory_path()) /
               ("timbre-fuzz-" + std::to_string(::getpid()));
    std::filesystem::create_directories(out);
    return out;
  }();
  return path;
}

inline std::filesystem::path write(const std::string& name, std::string_view bytes) {
  const auto file = folder() / name;
  std::ofstream(file, std::ios::binary | std::ios::trunc).write(bytes.data(), std::streamsize(bytes.size()));
  return file;
}

template <class Work>
void allow_errors(Work work) {
  try {
    work();
  } catch (const Error&) {
  }
}

inline std::string_view text_of(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

}  // namespace timbre::fuzz
