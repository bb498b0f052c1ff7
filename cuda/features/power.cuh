// Powers of a spectrum, for the kernels that take them; and how feature kernels are launched.
#pragma once

#include "cuda/support/kernel.hpp"

namespace timbre::cuda {

/// Threads of a block of the feature kernels.
inline constexpr unsigned feature_threads = 256;
inline constexpr std::int64_t values_per_thread =
    4;  // of elementwise kernels, so that small grids fill the GPU, too

inline std::int64_t pieces(std::int64_t size, std::int64_t piece) { return (size + piece - 1) / piece; }

/// |z|^exponent; squares and magnitudes, the common cases, without a general power.
__device__ inline float power_of(float2 z, float exponent) {
  const float square = z.x * z.x + z.y * z.y;
  if (exponent == 2.0f) return square;
  if (exponent == 1.0f) return sqrtf(square);
  return powf(square, 0.5f * exponent);
}

/// |z|^power in float64.
__device__ inline double magnitude(double2 z, double power) {
  const double square = z.x * z.x + z.y * z.y;
  if (power == 2.0) return square;
  if (power == 1.0) return sqrt(square);
  return pow(square, 0.5 * power);
}

__device__ inline float power_of(double2 z, float exponent) {
  return static_cast<float>(magnitude(z, static_cast<double>(exponent)));
}

}  // namespace timbre::cuda
