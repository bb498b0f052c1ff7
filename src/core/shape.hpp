// The extents of an array, outermost first, without the batch dimension unless said otherwise.
#pragma once

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <vector>

#include "core/error_types.hpp"

namespace timbre {

class Shape {
 public:
  Shape() = default;
  Shape(std::initializer_list<std::int64_t> extents) : extents_(extents) {}
  explicit Shape(std::vector<std::int64_t> extents) : extents_(std::move(extents)) {}

  std::size_t rank() const { return extents_.size(); }
  /// Extent of axis i; negative i counts from the end. Throws std::out_of_range.
  std::int64_t operator[](int i) const { return extents_.at(i < 0 ? extents_.size() + i : std::size_t(i)); }
  std::int64_t back() const { return (*this)[-1]; }
  /// Number of elements; 1 for rank 0. Throws RequestError where it is more than an int64 counts.
  std::int64_t size() const {
    std::int64_t n = 1;
    bool overflow = false;
    for (auto e : extents_) overflow = __builtin_mul_overflow(n, e, &n) || overflow;
    if (overflow && std::find(extents_.begin(), extents_.end(), 0) == extents_.end())
      throw RequestError(str() + " has more elements than can be counted");
    return overflow ? 0 : n;
  }
  const std::vector<std::int64_t>& extents() const { return extents_; }
  void push_back(std::int64_t extent) { extents_.push_back(extent); }
  /// As Python writes it: (130, 13), (64,), ().
  std::string str() const {
    std::string s = "(";
    for (std::size_t i = 0; i < extents_.size(); ++i) s += (i ? ", " : "") + std::to_string(extents_[i]);
    return s + (extents_.size() == 1 ? ",)" : ")");
  }
  bool operator==(const Shape&) const = default;

 private:
  std::vector<std::int64_t> extents_;
};

}  // namespace timbre
