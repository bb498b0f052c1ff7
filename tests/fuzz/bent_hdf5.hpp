// A valid HDF5 file, bent as the fuzzer's bytes say: object by object, and at last byte by byte. An input is a list of
// commands of eight bytes, so what the fuzzer changes stays a valid list, and small.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>

namespace timbre::fuzz {

struct Bent {
  bool bytes = false;  // bytes were changed behind the library's back: only another process may read it
};

/// Copies `whole` to `file` and bends it.
Bent bend(const std::filesystem::path& whole, const std::filesystem::path& file,
          std::span<const std::uint8_t> commands);

}  // namespace timbre::fuzz
