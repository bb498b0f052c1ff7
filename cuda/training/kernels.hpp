// The step's own kernels, as functions that enqueue them. Pointers are to device memory. Each kernel stands
// in its own .cuh, with its formula.
#pragma once

#include <cuda_runtime_api.h>

#include <cstdint>

#include "training/losses/cross_entropy.hpp"
#include "training/optimizer_rules.hpp"
#include "training/step_state.hpp"

namespace timbre::cuda {

/// out [capacity, width]: the live rows of the batch, then zeros.
void gather_rows(cudaStream_t stream, const BatchHeader* batch, const std::int32_t* rows,
                 std::int64_t capacity, std::int64_t width, float* out);

/// losses [capacity], hits [capacity], and where not null gradient and probabilities [capacity, classes];
/// zeros for rows that are not live.
void cross_entropy(cudaStream_t stream, const float* logits, const BatchHeader* batch,
                   const std::int32_t* rows, std::int64_t capacity, std::int64_t classes,
                   training::SmoothedTarget targets, float* losses, std::int32_t* hits, float* gradient,
                   float* probabilities);

/// *total: the sum of the penalties of `count` stretches (0: none); partial [count] is work space.
void sum_penalties(cudaStream_t stream, const Stretch* stretches, std::int64_t count, const float* arena,
                   double* partial, double* total);
/// The same, and the batch enters the metrics; counts the step, and sets the optimizer's rate for it.
void finish_loss(cudaStream_t stream, const Stretch* stretches, std::int64_t count, const float* arena,
                 const float* losses, const std::int32_t* hits, const BatchHeader* batch, StepRate rate,
                 StepScalars* scalars, double* partial, double* total);

/// What one optimizer step works on; slots as many as the rule has.
struct ArenaUpdate {
  const Stretch* stretches;
  std::int64_t count;
  const StepScalars* scalars;
  float* arena;
  const float* gradients;
  float* slots[2];
};
/// The rule's rate (AdamRule: alpha) is that of *scalars.
void update_arena(cudaStream_t stream, const ArenaUpdate& update, training::AdamRule rule);
void update_arena(cudaStream_t stream, const ArenaUpdate& update, training::SgdRule rule);
void update_arena(cudaStream_t stream, const ArenaUpdate& update, training::MomentumRule rule);
void update_arena(cudaStream_t stream, const ArenaUpdate& update, training::RmspropRule rule);
void update_arena(cudaStream_t stream, const ArenaUpdate& update, training::RmspropMomentumRule rule);

}  // namespace timbre::cuda
