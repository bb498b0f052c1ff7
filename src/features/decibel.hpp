// Power to decibels, librosa.power_to_db with ref 1 and amin 1e-10:
//
//   y = 10 log10(max(x, 1e-10)),  then y = max(y, max over all values of y - top_db)
//
// The logarithm is a polynomial that vectorises; its error is below 3e-5 dB over the range of float32.
#pragma once

#include <cstdint>
#include <cstring>
#include <optional>

#include "core/philox.hpp"  // TIMBRE_ELEMENTWISE

namespace timbre::features {

/// amin of power_to_db: smaller powers count as this one.
inline constexpr float smallest_power = 1e-10f;

/// 10 log10(x) for normal x > 0. x = 2^e m with m in [sqrt(1/2), sqrt(2)); log(m) as in Cephes' logf. Plain C++ that
/// nvcc compiles for the device as well.
TIMBRE_ELEMENTWISE inline float decibels(float x) {
  constexpr std::uint32_t root_half = 0x3f3504f3u;
  std::uint32_t bits;
  std::memcpy(&bits, &x, sizeof bits);
  bits -= root_half;
  const auto e = static_cast<float>(static_cast<std::int32_t>(bits) >> 23);
  bits = (bits & 0x007fffffu) + root_half;
  float m;
  std::memcpy(&m, &bits, sizeof m);
  const float f = m - 1.0f;
  float p = 7.0376836292e-2f;
  p = p * f - 1.1514610310e-1f;
  p = p * f + 1.1676998740e-1f;
  p = p * f - 1.2420140846e-1f;
  p = p * f + 1.4249322787e-1f;
  p = p * f - 1.6668057665e-1f;
  p = p * f + 2.0000714765e-1f;
  p = p * f - 2.4999993993e-1f;
  p = p * f + 3.3333331174e-1f;
  const float log_m = f + (f * f) * (p * f - 0.5f);
  return e * 3.01029995664f + log_m * 4.34294481903f;
}

/// In place, over the `size` values of one segment. Values must not be negative; an infinite one becomes 385 dB.
void power_to_db(float* values, std::int64_t size, std::optional<double> top_db);

}  // namespace timbre::features
