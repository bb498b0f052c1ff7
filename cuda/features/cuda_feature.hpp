// From spectra to a kind of feature on the device: the part of a CUDA engine that differs between kinds.
//
// Each kind is a file here with the name of its file in src/features, and registers a CudaFeatureType under
// the same name. Work is enqueued on the stream given; areas are allocated when it is made, for `segments`
// segments.
#pragma once

#include <cuda_runtime_api.h>

#include <cstdint>
#include <memory>

#include "core/registry.hpp"
#include "features/options.hpp"

namespace timbre::cuda {

class CudaFeature {
 public:
  virtual ~CudaFeature() = default;
  /// spectrum [count, bins]: frames [first, first + count) of the batch. out: [segments, T, F], of the whole
  /// batch. A kind gets what its FeatureType names as its source: spectra of float32, or of float64,
  virtual void take(cudaStream_t, const float2* /*spectrum*/, std::int64_t /*first*/, std::int64_t /*count*/,
                    float* /*out*/) {}
  virtual void take_exact(cudaStream_t, const double2* /*spectrum*/, std::int64_t /*first*/,
                          std::int64_t /*count*/, float* /*out*/) {}
  /// or samples, segments [count, samples].
  virtual void read(cudaStream_t, const float* /*segments*/, std::int64_t /*samples*/, std::int64_t /*count*/,
                    float* /*out*/) {}
  /// After the last frame of a batch of `segments`.
  virtual void finish(cudaStream_t, std::int64_t /*segments*/, float* /*out*/) {}
};

struct CudaFeatureType {
  std::unique_ptr<CudaFeature> (*make)(const features::FeatureOptions&, std::int64_t frames,
                                       std::int64_t segments, cudaStream_t stream);
  /// Floats of work areas per segment.
  std::int64_t (*work_floats)(const features::FeatureOptions&, std::int64_t frames) = nullptr;
  /// Floats of work areas whose size does not depend on the number of segments.
  std::int64_t (*once_floats)(const features::FeatureOptions&, std::int64_t frames) = nullptr;
};
using CudaFeatureRegistry = Registry<CudaFeatureType>;

}  // namespace timbre::cuda
