// Gradient clipping on the device (training/gradient_clipping.hpp).
#pragma once

#include <cuda_runtime_api.h>

#include <cstdint>
#include <span>

#include "cuda/support/memory.hpp"
#include "cuda/training/step_state.hpp"
#include "training/gradient_clipping.hpp"

namespace timbre::cuda {

/// The chunks of one parameter: [first, first + count) of all.
struct ChunksOfParameter {
  std::int32_t first, count;
};

/// What the kernels work with. squares, factors [count]: work space.
struct ClippedArena {
  const Chunk* chunks;
  std::int64_t count;
  const ChunksOfParameter* parameters;
  std::int64_t parameter_count;
  const float* arena;
  float* gradients;
  double* squares;
  float* factors;
};

class ClippingDevice {
 public:
  /// chunks: all of what is trained, parameter after parameter.
  ClippingDevice(const training::GradientClippingOptions& options, std::span<const Chunk> chunks,
                 std::span<const ChunksOfParameter> parameters, cudaStream_t stream);
  /// Enqueues it: penalties enter the gradients, these are clipped, and their norm before that is added to the metrics.
  void clip(cudaStream_t stream, const float* arena, float* gradients, StepScalars* scalars) const;
  /// The chunks without penalties, for the optimizer of these gradients.
  const Chunk* chunks_of_clipped() const { return clipped_chunks_.data(); }

 private:
  training::GradientClipping clipping_;
  DeviceArray<Chunk> chunks_, clipped_chunks_;
  DeviceArray<ChunksOfParameter> parameters_;
  DeviceArray<double> squares_;
  DeviceArray<float> factors_;
};

}  // namespace timbre::cuda
