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
  /// batch.
  virtual void take(cudaStream_t stream, const float2* spectrum, std::int64_t first, std::int64_t count,
                    float* out) = 0;
  /// After the last frame of a batch of `segments`.
  virtual void finish(cudaStream_t, std::int64_t /*segments*/, float* /*out*/) {}
};

struct CudaFeatureType {
  std::unique_ptr<CudaFeature> (*make)(const features::FeatureOptions&, std::int64_t frames,
                                       std::int64_t segments, cudaStream_t stream);
  /// Floats of work areas per segment.
  std::int64_t (*work_floats)(const features::FeatureOptions&, std::int64_t frames) = nullptr;
};
using CudaFeatureRegistry = Registry<CudaFeatureType>;

}  // namespace timbre::cuda
