// The feature kernels, as functions that enqueue them. Pointers are to device memory; sizes are checked by
// nobody here. Each kernel stands in its own .cuh, with its formula; kernels.cu chooses grids and blocks.
#pragma once

#include <cuda_runtime_api.h>

#include <cstdint>

namespace timbre::cuda {

enum class PadMode { constant, edge, reflect };

/// How segments [count, samples] are cut into frames.
struct FrameLayout {
  std::int64_t samples;  // of a segment
  std::int64_t frames;   // of a segment
  std::int64_t size;     // n_fft
  std::int64_t hop;
  std::int64_t padding;  // before the first sample
  PadMode mode;
};

/// Mel weights without their zeros, in groups of eight; arrays [bands] and weights in device memory.
struct MelBands {
  const std::int32_t* first;   // bin of a band's first weight
  const std::int32_t* groups;  // groups of eight weights
  const std::int32_t* offset;  // of the band's first weight
  const float* weights;
  std::int32_t bands, bins;
};

/// Frames [first, first + count) of the segments, frame g being frame g % frames of segment g / frames. out
/// [count, size]
void window_frames(cudaStream_t stream, const float* segments, const float* window, const FrameLayout& layout,
                   std::int64_t first, std::int64_t count, float* out);

/// |spectrum|^exponent, `size` values
void spectrum_power(cudaStream_t stream, const float2* spectrum, std::int64_t size, float exponent,
                    float* out);

/// spectrum [frames, bins] -> out [frames, bands]. tile: bins staged at a time, for tests; 0 chooses.
void mel_bands(cudaStream_t stream, const float2* spectrum, std::int64_t frames, const MelBands& mel,
               float exponent, float* out, int tile = 0);

/// Largest of each segment's values [segments, size], at least smallest_power. maxima [segments] must be
/// zeros.
void segment_maxima(cudaStream_t stream, const float* values, std::int64_t segments, std::int64_t size,
                    float* maxima);

/// Power to decibels in place, values [segments, size]; maxima null: no floor.
void to_decibels(cudaStream_t stream, float* values, std::int64_t segments, std::int64_t size,
                 const float* maxima, double top_db);

/// decibels [frames, bands], cosines [bands, coefficients - 1] -> out [frames, coefficients]
void cepstrum(cudaStream_t stream, const float* decibels, const float* cosines, std::int64_t frames,
              int bands, int coefficients, float* out);

}  // namespace timbre::cuda
