// Cuts segments into windowed frames, the input of a batched real FFT.
//
//   out[f, n] = window[n] x_s[t hop + n - padding],  (s, t) = divmod(first + f, frames)
//
// x_s continues beyond its segment by the padding: zeros, the nearest sample, or mirrored as often as needed.
// One block per frame; neighbouring threads touch neighbouring samples.
#pragma once

#include "features/kernels.hpp"
#include "support/kernel.hpp"

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

__global__ void __launch_bounds__(256)
    window_frames_kernel(const float* __restrict__ segments, const float* __restrict__ window,
                         FrameLayout layout, std::int64_t first, float* __restrict__ out) {
  const std::int64_t frame = first + blockIdx.x;
  float* row = out + static_cast<std::int64_t>(blockIdx.x) * layout.size;  // [size]
  const float* x = segments + frame / layout.frames * layout.samples;      // [samples]
  const std::int64_t begin = frame % layout.frames * layout.hop - layout.padding;
  for (std::int64_t n = threadIdx.x; n < layout.size; n += blockDim.x)
    row[n] = window[n] * padded_sample(x, begin + n, layout.samples, layout.mode);
}

}  // namespace timbre::cuda
