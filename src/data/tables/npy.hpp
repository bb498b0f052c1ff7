// One array of NumPy's: its head, and its elements as a stream.
//
// Read: <f4 <f8, whole numbers (i1 i2 <i4 <i8 and unsigned), texts <U and S, booleans; in C order. Python objects are a pickle,
// which runs code when it is read, and are refused. Formats 1.0 to 3.0 (numpy.lib.format).
// Errors: RequestError "FILE: array 'X': ...".
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "storage/zip.hpp"

namespace timbre::data {

class NpyArray {
 public:
  /// Reads the head. `what` names the array in messages: "F.npz: array 'X'".
  NpyArray(std::unique_ptr<storage::ByteSource> bytes, std::string what);

  const std::vector<std::int64_t>& shape() const { return shape_; }
  std::int64_t elements() const { return elements_; }
  bool is_text() const { return kind_ == 'U' || kind_ == 'S'; }
  const std::string& what() const { return what_; }

  /// The next elements, as float32. Throws where one is too large for it (one that is not finite is given as it is).
  void floats(std::span<float> out);
  /// The rest as whole numbers. Throws where a value is not whole, or out of range.
  std::vector<std::int64_t> whole_numbers();
  /// The rest as UTF-8.
  std::vector<std::string> texts();

 private:
  void parse_head(const std::string& head);
  std::size_t next_bytes(std::size_t elements);
  template <class T>
  T element(std::size_t i) const;
  double number(std::size_t i) const;

  std::unique_ptr<storage::ByteSource> bytes_;
  std::string what_;
  std::vector<std::int64_t> shape_;
  std::int64_t elements_ = 0, given_ = 0;
  char kind_ = 'f';            // f i u b U S
  std::size_t item_size_ = 0;  // bytes
  std::vector<char> block_;
};

}  // namespace timbre::data
