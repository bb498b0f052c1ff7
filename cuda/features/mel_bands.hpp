// Mel filters in device memory, and decibels above a segment's floor: the pieces that mel, log_mel and mfcc
// share.
#pragma once

#include <cstdint>
#include <optional>

#include "features/kernels.hpp"
#include "features/options.hpp"
#include "support/memory.hpp"

namespace timbre::cuda {

class DeviceMelBands {
 public:
  DeviceMelBands(const features::FeatureOptions& options, cudaStream_t stream);
  std::int64_t bands() const { return view_.bands; }
  /// spectrum [count, bins] -> out + first * bands: [count, bands]
  void enqueue(cudaStream_t stream, const float2* spectrum, std::int64_t first, std::int64_t count,
               float* out) const;

 private:
  DeviceArray<std::int32_t> first_, groups_, offset_;  // [bands]
  DeviceArray<float> weights_;
  MelBands view_;
  float power_;
};

class DeviceDecibels {
 public:
  /// size: values of a segment.
  DeviceDecibels(std::optional<double> top_db, std::int64_t size, std::int64_t segments);
  /// values [segments, size], in place
  void enqueue(cudaStream_t stream, std::int64_t segments, float* values) const;

 private:
  std::optional<double> top_db_;
  std::int64_t size_;
  DeviceArray<float> maxima_;  // [segments], where there is a floor
};

}  // namespace timbre::cuda
