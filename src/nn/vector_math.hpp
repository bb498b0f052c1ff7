// Elementary functions without branches or tables, which a compiler turns into vector code.
//
//   e^x = 2^n e^r with n = round(x / ln 2), |r| <= ln 2 / 2;  e^r - 1 by a polynomial of degree 7
//   sigmoid x = 1 / (1 + e^-x)        tanh |x| = m / (m + 2) with m = e^(2|x|) - 1, which keeps small x exact
//
// Errors: at most 3 units in the last place over the range. exponential saturates beyond -87 and 88 (at 1e-38
// and 2e38); NaN stays NaN. Coefficients: Cephes, expf.c (S. Moshier).
// The header is plain C++ that nvcc compiles for the device as well.
#pragma once

#include <cstdint>
#include <cstring>

#include "core/philox.hpp"  // TIMBRE_ELEMENTWISE

namespace timbre::nn {

namespace detail {

struct ExpParts {
  float scale;  // 2^n
  float rest;   // e^r - 1
};

TIMBRE_ELEMENTWISE inline ExpParts exp_parts(float x) {
  // Adding 1.5 * 2^23 leaves round(x / ln 2) in the lowest bits of the sum.
  constexpr float magic = 12582912.0f;
  constexpr std::int32_t magic_bits = 0x4B400000;
  x = x < -87.0f ? -87.0f : x;
  x = x > 88.0f ? 88.0f : x;
  const float sum = x * 1.44269504088896341f + magic;
  const float n = sum - magic;
  const float r = (x - n * 0.693359375f) - n * -2.12194440e-4f;
  float p = 1.9875691500e-4f;
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  std::int32_t bits;
  std::memcpy(&bits, &sum, sizeof bits);
  bits = static_cast<std::int32_t>(static_cast<std::uint32_t>(bits - magic_bits) << 23) + 0x3F800000;
  ExpParts parts;
  std::memcpy(&parts.scale, &bits, sizeof bits);
  parts.rest = (p * r) * r + r;
  return parts;
}

}  // namespace detail

TIMBRE_ELEMENTWISE inline float exponential(float x) {
  const auto e = detail::exp_parts(x);
  return e.scale * e.rest + e.scale;
}

/// e^x - 1, exact for small x as well.
TIMBRE_ELEMENTWISE inline float exponential_minus_1(float x) {
  const auto e = detail::exp_parts(x);
  return e.scale * e.rest + (e.scale - 1.0f);
}

TIMBRE_ELEMENTWISE inline float sigmoid(float x) { return 1.0f / (1.0f + exponential(-x)); }

TIMBRE_ELEMENTWISE inline float hyperbolic_tangent(float x) {
  std::uint32_t bits;
  std::memcpy(&bits, &x, sizeof bits);
  const std::uint32_t sign = bits & 0x80000000u;
  bits ^= sign;
  float a;
  std::memcpy(&a, &bits, sizeof bits);
  a = a > 10.0f ? 10.0f : a;  // tanh 10 is 1 in float32
  const float m = exponential_minus_1(2.0f * a);
  const float t = m / (m + 2.0f);
  std::memcpy(&bits, &t, sizeof bits);
  bits |= sign;
  float y;
  std::memcpy(&y, &bits, sizeof bits);
  return y;
}

}  // namespace timbre::nn
