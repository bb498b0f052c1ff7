// Content keys: XXH3 with 128 bits, written as 32 hexadecimal digits.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace timbre {

class Hasher {
 public:
  Hasher();
  ~Hasher();
  Hasher(const Hasher&) = delete;
  Hasher& operator=(const Hasher&) = delete;
  /// Goes on from what another has seen so far.
  void copy_from(const Hasher& other);
  Hasher& bytes(const void* data, std::size_t size);
  /// Text with its length, so that ("a", "bc") and ("ab", "c") differ.
  Hasher& text(std::string_view text);
  std::string hex() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace timbre
