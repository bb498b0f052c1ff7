// The device's halves of losses and optimizers, found by the struct of their options: each is a .cu in losses/ or
// optimizers/ with the name of its file in src/training, and adds itself (core/part.hpp). Pointers are to device memory.
#pragma once

#include <cuda_runtime_api.h>

#include <cstdint>
#include <memory>

#include "core/part.hpp"
#include "cuda/training/step_state.hpp"

namespace timbre::cuda {

/// The batch of a loss, and the places for its results. losses and hits [capacity], gradient and probabilities
/// [capacity, classes]; zeros for rows that are not live.
struct LossBatch {
  const float* logits;
  const BatchHeader* header;
  const std::int32_t* rows;
  std::int64_t capacity, classes;
  float* losses;
  std::int32_t* hits;
  float *gradient, *probabilities;  // may be null
};

class CudaLoss {
 public:
  virtual ~CudaLoss() = default;
  virtual void evaluate(cudaStream_t stream, const LossBatch& batch) const = 0;
};
using CudaLosses = Implementations<CudaLoss>;

/// The chunks that have a penalty, and the work space of its sum: partial [count], total [1].
struct PenaltySum {
  const Chunk* chunks;
  std::int64_t count;  // may be 0
  const float* arena;
  double *partial, *total;
};
/// *total: the sum of the penalties.
void sum_penalties(cudaStream_t stream, const PenaltySum& sum);

/// The input of the metrics.
struct BatchResult {
  const float* losses;
  const std::int32_t* hits;
  const BatchHeader* batch;
};

/// The arrays of one optimizer step; slots as many as the rule has.
struct ArenaUpdate {
  const Chunk* chunks;
  std::int64_t count;
  float* arena;
  const float* gradients;
  float* slots[2];
};

class CudaOptimizer {
 public:
  virtual ~CudaOptimizer() = default;
  /// sum_penalties, and the batch enters the metrics; counts the step, and makes the rule ready for it.
  virtual void finish_loss(cudaStream_t stream, const PenaltySum& sum, const BatchResult& result,
                           StepScalars* scalars) const = 0;
  /// One step of the whole arena, after finish_loss.
  virtual void update(cudaStream_t stream, const ArenaUpdate& update) const = 0;
};
using CudaOptimizers = Implementations<CudaOptimizer>;

/// For the options of a training::Loss or Optimizer. Throws Error where the back end does not know it.
std::unique_ptr<CudaLoss> make_cuda_loss(const OptionsRef& options);
std::unique_ptr<CudaOptimizer> make_cuda_optimizer(const OptionsRef& options);

}  // namespace timbre::cuda
