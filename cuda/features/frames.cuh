// What the kernels share that give one frame to a warp. No barriers: lanes meet in shuffles alone (support/warp.cuh).
#pragma once

#include "cuda/features/block_stft.hpp"
#include "cuda/features/power.cuh"
#include "cuda/support/kernel.hpp"
#include "cuda/support/warp.cuh"

namespace timbre::cuda {

/// Position in [0, n) of a sample outside it, mirrored without repeating the ends.
__device__ inline std::int64_t reflected(std::int64_t i, std::int64_t n) {
  if (n == 1) return 0;
  const std::int64_t period = 2 * (n - 1);
  i %= period;
  if (i < 0) i += period;
  return i < n ? i : period - i;
}

__device__ inline float padded_sample(const float* x, std::int64_t i, std::int64_t n, PadMode mode) {
  if (i >= 0 && i < n) return x[i];
  if (mode == PadMode::constant) return 0.0f;
  if (mode == PadMode::edge) return x[i < 0 ? 0 : n - 1];
  return x[reflected(i, n)];
}

inline constexpr unsigned frames_per_block = 4;

/// The frame of this thread's warp.
__device__ inline std::int64_t frame_of_warp() {
  return static_cast<std::int64_t>(blockIdx.x) * frames_per_block + threadIdx.x / warp_size;
}
__device__ inline int lane_of_thread() { return static_cast<int>(threadIdx.x) % warp_size; }

/// Enqueues a kernel that gives each of `frames` frames a warp.
template <class... Parameters, class... Arguments>
void launch_frames(void (*kernel)(Parameters...), std::int64_t frames, cudaStream_t stream,
                   Arguments... arguments) {
  launch(kernel, dim3(static_cast<unsigned>(pieces(frames, frames_per_block))),
         dim3(frames_per_block * warp_size), 0, stream, arguments...);
}

}  // namespace timbre::cuda
