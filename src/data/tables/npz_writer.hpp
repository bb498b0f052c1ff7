// Arrays as NumPy's NPZ: a zip of .npy files, stored, as numpy.savez writes it; with zip64 where an array takes 4 GiB.
// No times stand in it: the same arrays give the same bytes.
// Errors: Error "FILE: ...", where the disk refuses.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "storage/zip.hpp"

namespace timbre::data {

class NpzWriter {
 public:
  explicit NpzWriter(storage::AtomicFile& file) : zip_(file) {}

  /// Begins an array of float32; `floats` gives its elements, in pieces of any size.
  void begin(const std::string& name, const std::vector<std::int64_t>& shape);
  void floats(std::span<const float> values);
  void add(const std::string& name, std::span<const std::int64_t> values);
  /// As <U: UCS-4, each as wide as the longest. What is not well-formed UTF-8 is escaped.
  void add(const std::string& name, const std::vector<std::string>& values);
  /// Writes the directory, and commits the file.
  void finish() { zip_.finish(); }

 private:
  void begin(const std::string& name, const std::string& type, const std::vector<std::int64_t>& shape,
             std::uint64_t data_bytes);
  storage::ZipWriter zip_;
};

}  // namespace timbre::data
