// Cepstral coefficients of frames in decibels: an orthonormal DCT-II along the bands.
//
//   mean = (sum over m of d[t, m]) / bands
//   out[t, 0] = sum sqrt(1 / bands),  out[t, j] = sum over m of (d[t, m] - mean) cosines[m, j - 1]
//
// The mean concerns the first coefficient alone; taken away first (as the CPU does), the others keep the
// digits that sums of large, nearly equal numbers would lose. A block takes `rows` frames: a warp loads a row
// into shared memory and sums it in double, then all threads share the coefficients of all rows.
#pragma once

#include "features/kernels.hpp"
#include "support/kernel.hpp"

namespace timbre::cuda {

__global__ void __launch_bounds__(128)
    cepstrum_kernel(const float* __restrict__ decibels, const float* __restrict__ cosines,
                    std::int64_t frames, int bands, int coefficients, int rows, float* __restrict__ out) {
  TIMBRE_DYNAMIC_SHARED(float, centred);  // [rows, bands]
  const std::int64_t first = static_cast<std::int64_t>(blockIdx.x) * rows;
  const int count = first + rows < frames ? rows : static_cast<int>(frames - first);
  const int lane = static_cast<int>(threadIdx.x) % warp_size,
            warp = static_cast<int>(threadIdx.x) / warp_size;
  for (int r = warp; r < count; r += static_cast<int>(blockDim.x) / warp_size) {
    const float* row = decibels + (first + r) * bands;
    double sum = 0.0;
    for (int m = lane; m < bands; m += warp_size) sum += row[m];
    for (int distance = warp_size / 2; distance > 0; distance /= 2)
      sum += __shfl_xor_sync(whole_warp, sum, distance);
    const auto mean = static_cast<float>(sum / bands);
    for (int m = lane; m < bands; m += warp_size) centred[r * bands + m] = row[m] - mean;
    if (lane == 0) out[(first + r) * coefficients] = static_cast<float>(sum * sqrt(1.0 / bands));
  }
  __syncthreads();
  const int others = coefficients - 1;
  for (int i = static_cast<int>(threadIdx.x); i < count * others; i += static_cast<int>(blockDim.x)) {
    const int r = i / others, j = i % others;
    const float* row = centred + r * bands;
    float sum = 0.0f;
    for (int m = 0; m < bands; ++m) sum += row[m] * cosines[m * others + j];
    out[(first + r) * coefficients + 1 + j] = sum;
  }
}

}  // namespace timbre::cuda
