// Power to decibels, with a floor below the maximum of each segment (features/decibel.hpp has the formula).
//
// Two kernels over [segments, size]: maxima, then values in place. blockIdx.x is the segment; blockIdx.y
// shares a long segment among blocks, whose maxima meet in an atomic: a maximum does not depend on the order.
#pragma once

#include "features/decibel.hpp"
#include "features/kernels.hpp"
#include "support/kernel.hpp"

namespace timbre::cuda {

__device__ inline float warp_maximum(float value) {
  for (int distance = warp_size / 2; distance > 0; distance /= 2)
    value = fmaxf(value, __shfl_xor_sync(whole_warp, value, distance));
  return value;
}

/// maxima [segments] must be zeros. Values are not negative, so that their bits, as integers, have their
/// order.
__global__ void __launch_bounds__(256)
    segment_maxima_kernel(const float* __restrict__ values, std::int64_t size, float* __restrict__ maxima) {
  TIMBRE_SHARED(float, of_warp, [warp_size]);
  const float* segment = values + blockIdx.x * size;
  const std::int64_t step = static_cast<std::int64_t>(gridDim.y) * blockDim.x;
  float largest = features::smallest_power;
  for (std::int64_t i = static_cast<std::int64_t>(blockIdx.y) * blockDim.x + threadIdx.x; i < size; i += step)
    largest = fmaxf(largest, segment[i]);
  largest = warp_maximum(largest);
  const unsigned lane = threadIdx.x % warp_size, warp = threadIdx.x / warp_size;
  if (lane == 0) of_warp[warp] = largest;
  __syncthreads();
  if (warp > 0) return;
  largest = warp_maximum(lane < blockDim.x / warp_size ? of_warp[lane] : features::smallest_power);
  if (lane == 0) atomicMax(reinterpret_cast<int*>(maxima + blockIdx.x), __float_as_int(largest));
}

/// maxima: null for no floor.
__global__ void __launch_bounds__(256) decibels_kernel(float* __restrict__ values, std::int64_t size,
                                                       const float* __restrict__ maxima, double top_db) {
  float* segment = values + blockIdx.x * size;
  const float floor = maxima ? static_cast<float>(features::decibels(maxima[blockIdx.x]) - top_db) : -3.4e38f;
  const std::int64_t step = static_cast<std::int64_t>(gridDim.y) * blockDim.x;
  for (std::int64_t i = static_cast<std::int64_t>(blockIdx.y) * blockDim.x + threadIdx.x; i < size; i += step)
    segment[i] = fmaxf(features::decibels(fmaxf(segment[i], features::smallest_power)), floor);
}

}  // namespace timbre::cuda
