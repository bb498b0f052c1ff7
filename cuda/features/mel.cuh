// Power and mel bands of a spectrum in one pass.
//
//   out[f, m] = sum over k of weights[m, k] |z[f, k]|^exponent
//
// One block per frame. The powers of a tile of bins are staged in shared memory, since neighbouring bands
// overlap by half; then eight lanes of a warp take a band, each every eighth of its weights (stored in groups
// of eight without the zeros between bands), and add up by shuffles in the order of the CPU's eight-lane sum.
// A spectrum wider than a tile (beyond n_fft 16384) is taken in several, and the bands gather them in global
// memory.
#pragma once

#include "features/power.cuh"

namespace timbre::cuda {

inline constexpr int mel_lanes = 8;  // of one band: a group of weights

__global__ void __launch_bounds__(256) mel_bands_kernel(const float2* __restrict__ spectrum, MelBands mel,
                                                        float exponent, int tile, float* __restrict__ out) {
  TIMBRE_DYNAMIC_SHARED(float, power);  // [tile]
  const float2* row = spectrum + static_cast<std::int64_t>(blockIdx.x) * mel.bins;
  float* bands = out + static_cast<std::int64_t>(blockIdx.x) * mel.bands;
  const int lane = static_cast<int>(threadIdx.x) % mel_lanes;
  const int at_once = static_cast<int>(blockDim.x) / mel_lanes;
  for (int low = 0; low < mel.bins; low += tile) {
    const int high = low + tile < mel.bins ? low + tile : mel.bins;
    if (low > 0) __syncthreads();  // the tile before has been read
    for (int k = low + static_cast<int>(threadIdx.x); k < high; k += static_cast<int>(blockDim.x))
      power[k - low] = power_of(row[k], exponent);
    __syncthreads();
    for (int base = 0; base < mel.bands; base += at_once) {  // the same number of rounds for every thread
      const int m = base + static_cast<int>(threadIdx.x) / mel_lanes;
      float sum = 0.0f;
      if (m < mel.bands) {
        const int first = mel.first[m], groups = mel.groups[m];
        const float* weights = mel.weights + mel.offset[m];
        for (int g = 0; g < groups; ++g) {
          const int k = first + g * mel_lanes + lane;
          if (k >= low && k < high) sum += power[k - low] * weights[g * mel_lanes + lane];
        }
      }
      for (int distance = mel_lanes / 2; distance > 0; distance /= 2)
        sum += __shfl_xor_sync(whole_warp, sum, distance, mel_lanes);
      if (lane == 0 && m < mel.bands) bands[m] = low == 0 ? sum : bands[m] + sum;
    }
  }
}

}  // namespace timbre::cuda
