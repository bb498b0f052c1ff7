// Sums and maxima over the lanes of a warp; every lane gets the result. Sums follow the same tree each time.
#pragma once

#include "cuda/support/kernel.hpp"

namespace timbre::cuda {

template <class T>
__device__ T warp_sum(T value) {
  for (int distance = warp_size / 2; distance > 0; distance /= 2)
    value += __shfl_xor_sync(whole_warp, value, distance);
  return value;
}

template <class T>
__device__ T warp_largest(T value) {
  for (int distance = warp_size / 2; distance > 0; distance /= 2)
    value = fmax(value, __shfl_xor_sync(whole_warp, value, distance));
  return value;
}

/// The sum over a block of 32 to 1024 threads (whole warps), the same in every thread. `part` is shared,
/// [warp_size].
template <class T>
__device__ T block_sum(T value, T* part) {
  const unsigned lane = threadIdx.x % warp_size, warp = threadIdx.x / warp_size,
                 warps = blockDim.x / warp_size;
  value = warp_sum(value);
  if (lane == 0) part[warp] = value;
  __syncthreads();
  return warp_sum(lane < warps ? part[lane] : T{});
}

}  // namespace timbre::cuda
