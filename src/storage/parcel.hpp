// Values through a pipe, from a process that read a file to the one that wants what is in it (door.hpp).
//
// Numbers, texts, vectors, pairs and optionals travel by themselves; a struct by a function template in its namespace,
//   template <class A> void travel(A& parcel, Point& p) { parcel(p.x, p.y); }
// which serves both ways. Both ends are one program: there are no versions and no byte orders.
// Errors: Broken where the other end is gone or sends nonsense.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace timbre::storage {

/// The other end does not hold what it should: it is gone, late, or broken.
struct Broken : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Either end; `End` moves bytes.
template <class End>
class Parcel : public End {
 public:
  using End::End;

  template <class... T>
  void operator()(T&... values) {
    (pass(values), ...);
  }

 private:
  template <class T>
  static constexpr bool plain = std::is_arithmetic_v<T> || std::is_enum_v<T>;

  template <class T>
  void pass(T& value) {
    if constexpr (plain<T>)
      this->bytes(&value, sizeof value);
    else
      travel(*this, value);
  }
  void pass(std::string& value) {
    resize(value);
    this->bytes(value.data(), value.size());
  }
  template <class T>
  void pass(std::vector<T>& values) {
    static_assert(!std::is_same_v<T, bool>);
    resize(values);
    if constexpr (plain<T>)
      this->bytes(values.data(), values.size() * sizeof(T));
    else
      for (auto& value : values) pass(value);
  }
  template <class T, class U>
  void pass(std::pair<T, U>& value) {
    pass(value.first), pass(value.second);
  }
  template <class T>
  void pass(std::optional<T>& value) {
    bool there = value.has_value();
    pass(there);
    if (there != value.has_value()) value.emplace();
    if (there) pass(*value);
  }
  template <class T>
  void resize(T& value) {
    std::uint64_t size = value.size();
    pass(size);
    if (size == value.size()) return;
    this->expect(size, sizeof(typename T::value_type));
    value.resize(std::size_t(size));
  }
};

/// Writes to a descriptor, gathered.
class SendingEnd {
 public:
  explicit SendingEnd(int descriptor) : descriptor_(descriptor) {}
  void bytes(const void* data, std::size_t size);
  void expect(std::uint64_t, std::size_t) const {}
  /// Writes what has been gathered.
  void finish();

 private:
  void write(const char* data, std::size_t size) const;
  int descriptor_;
  std::string gathered_;
};

/// Reads from a descriptor until a moment, and at most `most` bytes in all.
class ReceivingEnd {
 public:
  using Clock = std::chrono::steady_clock;
  ReceivingEnd(int descriptor, Clock::time_point until, std::uint64_t most)
      : descriptor_(descriptor), until_(until), left_(most), buffer_(std::size_t{1} << 16, '\0') {}
  void bytes(void* data, std::size_t size);
  /// Throws Broken where as many elements are more than may still come.
  void expect(std::uint64_t count, std::size_t size);
  bool late() const { return late_; }
  /// More was sent than may come.
  bool refused() const { return refused_; }

 private:
  std::size_t receive(char* data, std::size_t size);
  [[noreturn]] void refuse();
  int descriptor_;
  Clock::time_point until_;
  std::uint64_t left_;
  bool late_ = false, refused_ = false;
  std::string buffer_;
  std::size_t begin_ = 0, end_ = 0;
};

using Sender = Parcel<SendingEnd>;
using Receiver = Parcel<ReceivingEnd>;

}  // namespace timbre::storage
