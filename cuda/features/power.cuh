// Powers of a spectrum: out[i] = |z[i]|^exponent. Each element alone, in a grid-stride loop.
#pragma once

#include "features/kernels.hpp"
#include "support/kernel.hpp"

namespace timbre::cuda {

/// |z|^exponent; squares and magnitudes, the common cases, without a general power.
__device__ inline float power_of(float2 z, float exponent) {
  const float square = z.x * z.x + z.y * z.y;
  if (exponent == 2.0f) return square;
  if (exponent == 1.0f) return sqrtf(square);
  return powf(square, 0.5f * exponent);
}

__global__ void __launch_bounds__(256)
    spectrum_power_kernel(const float2* __restrict__ spectrum, std::int64_t size, float exponent,
                          float* __restrict__ out) {
  const std::int64_t step = static_cast<std::int64_t>(gridDim.x) * blockDim.x;
  for (std::int64_t i = static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x; i < size; i += step)
    out[i] = power_of(spectrum[i], exponent);
}

}  // namespace timbre::cuda
