// Division by a number that is known before a kernel begins: a product and a shift in place of the dozens of instructions
// that a GPU divides by.
//
//   n / d = (umulhi(n, m) + n) >> s   with s = ceil(log2 d), m = floor(2^32 (2^s - d) / d) + 1, for n < 2^31
//
// Source: Granlund and Montgomery 1994, "Division by invariant integers using multiplication", section 4.
#pragma once

#include <cstdint>

#include "core/philox.hpp"  // TIMBRE_HD

namespace timbre::cuda {

template <class Index>
struct Divided {
  Index quotient, remainder;
};

class Divisor {
 public:
  /// Of 1 to 2^31 - 1.
  explicit Divisor(std::int64_t divisor) : divisor_(static_cast<std::uint32_t>(divisor)) {
    while ((std::uint64_t{1} << shift_) < divisor_) ++shift_;
    factor_ = static_cast<std::uint32_t>(
        (std::uint64_t{1} << 32) * ((std::uint64_t{1} << shift_) - divisor_) / divisor_ + 1);
  }
  TIMBRE_HD std::uint32_t divisor() const { return divisor_; }
  TIMBRE_HD Divided<std::uint32_t> operator()(std::uint32_t n) const {
    const auto high = static_cast<std::uint32_t>((static_cast<std::uint64_t>(n) * factor_) >> 32);
    const std::uint32_t quotient = (high + n) >> shift_;
    return {quotient, n - quotient * divisor_};
  }
  TIMBRE_HD Divided<std::uint64_t> operator()(std::uint64_t n) const { return {n / divisor_, n % divisor_}; }

 private:
  std::uint32_t divisor_, factor_ = 0, shift_ = 0;
};

}  // namespace timbre::cuda
