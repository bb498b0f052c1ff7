// Mel filters in device memory, and decibels above a segment's floor: the pieces that mel, log_mel and mfcc
// share (mel_bands.cu). Pointers are to device memory.
#pragma once

#include <cuda_runtime_api.h>

#include <cstdint>
#include <optional>

#include "cuda/support/memory.hpp"
#include "features/options.hpp"

namespace timbre::cuda {

/// Mel weights without their zeros, in groups of eight; arrays [bands] and weights in device memory.
struct MelBands {
  const std::int32_t* first;   // bin of a band's first weight
  const std::int32_t* groups;  // groups of eight weights
  const std::int32_t* offset;  // of the band's first weight
  const float* weights;
  std::int32_t bands, bins;
};

/// spectrum [frames, bins] -> out [frames, bands]. tile: bins staged at a time, for tests; 0 chooses.
void mel_bands(cudaStream_t stream, const float2* spectrum, std::int64_t frames, const MelBands& mel,
               float exponent, float* out, int tile = 0);
void mel_bands(cudaStream_t stream, const double2* spectrum, std::int64_t frames, const MelBands& mel,
               float exponent, float* out, int tile = 0);

/// Largest of each segment's values [segments, size], at least smallest_power. maxima [segments] must be
/// zeros.
void segment_maxima(cudaStream_t stream, const float* values, std::int64_t segments, std::int64_t size,
                    float* maxima);

/// Power to decibels in place, values [segments, size]; maxima null: no floor.
void to_decibels(cudaStream_t stream, float* values, std::int64_t segments, std::int64_t size,
                 const float* maxima, double top_db);

class CudaMelBands {
 public:
  CudaMelBands(const features::FeatureOptions& options, cudaStream_t stream);
  std::int64_t bands() const { return view_.bands; }
  /// spectrum [count, bins] -> out + first * bands: [count, bands]
  void enqueue(cudaStream_t stream, const float2* spectrum, std::int64_t first, std::int64_t count,
               float* out) const;
  void enqueue(cudaStream_t stream, const double2* spectrum, std::int64_t first, std::int64_t count,
               float* out) const;

 private:
  DeviceArray<std::int32_t> first_, groups_, offset_;  // [bands]
  DeviceArray<float> weights_;
  MelBands view_;
  float power_;
};

class CudaDecibels {
 public:
  /// size: values of a segment.
  CudaDecibels(std::optional<double> top_db, std::int64_t size, std::int64_t segments);
  /// values [segments, size], in place
  void enqueue(cudaStream_t stream, std::int64_t segments, float* values) const;

 private:
  std::optional<double> top_db_;
  std::int64_t size_;
  DeviceArray<float> maxima_;  // [segments], where there is a floor
};

}  // namespace timbre::cuda
