// The end of a step: the penalties' sum, the metrics, and the optimizer's rule over the whole arena in one launch. An
// optimizer that is a rule (training/optimizer_rules.hpp) is one line in its .cu:
//
//   inline const AddRule<training::SgdOptions> sgd;
#pragma once

#include "cuda/support/memory.hpp"
#include "cuda/support/warp.cuh"
#include "cuda/training/cuda_parts.hpp"
#include "training/optimizer_rules.hpp"

namespace timbre::cuda {

inline constexpr int update_threads = 256;

/// partial[i]: the penalty of chunk i (penalties.cu).
void chunk_penalties(cudaStream_t stream, const PenaltySum& sum);

/// *total = the sum of the partial penalties, in a fixed order, by one block; every thread gets it. `part` is shared,
/// [warp_size].
__device__ inline double total_penalty(const double* partial, std::int64_t chunks, double* part,
                                       double* total) {
  double penalty = 0;
  for (std::int64_t i = threadIdx.x; i < chunks; i += update_threads) penalty += partial[i];
  penalty = block_sum(penalty, part);
  if (threadIdx.x == 0) *total = penalty;
  return penalty;
}

/// One block: the total penalty; the batch's loss (penalties included, weighted by its rows, as Keras's running mean has
/// them) and hits are added to the metrics, the step is counted, and its rule made (by a warp that has nothing else to
/// do: a power in double takes its time).
template <class Rule>
__global__ void __launch_bounds__(update_threads)
    finish_loss_kernel(const double* __restrict__ partial, std::int64_t chunks,
                       const float* __restrict__ losses, const std::int32_t* __restrict__ hits,
                       const BatchHeader* __restrict__ batch, Rule rule, Rule* __restrict__ now,
                       StepScalars* scalars, double* __restrict__ total) {
  TIMBRE_SHARED(double, part, [warp_size]);
  TIMBRE_SHARED(double, part_loss, [warp_size]);
  TIMBRE_SHARED(std::int64_t, part_hits, [warp_size]);
  double loss = 0;
  std::int64_t correct = 0;
  if (threadIdx.x == update_threads - 1) *now = rule.at_step(scalars->learning_rate, scalars->step + 1);
  const double penalty = total_penalty(partial, chunks, part, total);
  for (std::int32_t r = static_cast<std::int32_t>(threadIdx.x); r < batch->live; r += update_threads)
    loss += losses[r], correct += hits[r];
  loss = block_sum(loss, part_loss);
  correct = block_sum(correct, part_hits);
  if (threadIdx.x > 0) return;
  loss += penalty * batch->live;
  scalars->step += 1;
  if (!(fabs(loss) <= 1.7e308) && scalars->bad_step == 0) scalars->bad_step = scalars->step;
  scalars->loss_sum += loss;
  scalars->correct += correct;
  scalars->rows += batch->live;
}

/// One block per chunk of the arena. now: the rule of this step.
template <class Rule>
__global__ void __launch_bounds__(update_threads)
    update_kernel(const Chunk* __restrict__ chunks, const Rule* __restrict__ now, float* __restrict__ arena,
                  const float* __restrict__ gradients, float* __restrict__ first,
                  float* __restrict__ second) {
  const Chunk s = chunks[blockIdx.x];
  const Rule rule = training::for_parameter(*now, s.weight_decay);
  for (std::int32_t k = static_cast<std::int32_t>(threadIdx.x); k < s.size; k += update_threads) {
    const std::int64_t i = s.offset + k;
    float p = arena[i];
    const float g = training::penalised(gradients[i], p, s.l1, s.twice_l2);
    if constexpr (Rule::slots == 0) rule(p, g);
    if constexpr (Rule::slots == 1) rule(p, g, first[i]);
    if constexpr (Rule::slots == 2) rule(p, g, first[i], second[i]);
    arena[i] = p;
  }
}

template <class Rule>
class RuleDevice final : public CudaOptimizer {
 public:
  explicit RuleDevice(const Rule& rule) : rule_(rule), now_(1) {}
  void finish_loss(cudaStream_t stream, const PenaltySum& sum, const BatchResult& result,
                   StepScalars* scalars) const override {
    chunk_penalties(stream, sum);
    launch(finish_loss_kernel<Rule>, dim3(1), dim3(update_threads), 0, stream, sum.partial, sum.count,
           result.losses, result.hits, result.batch, rule_, now_.data(), scalars, sum.total);
  }
  void update(cudaStream_t stream, const ArenaUpdate& u) const override {
    launch(update_kernel<Rule>, dim3(static_cast<unsigned>(u.count)), dim3(update_threads), 0, stream,
           u.chunks, now_.data(), u.arena, u.gradients, u.slots[0], u.slots[1]);
  }
  /// [1], the rule of the step that finish_loss began
  const DeviceArray<Rule>& now() const { return now_; }

 private:
  Rule rule_;
  DeviceArray<Rule> now_;
};

template <class Options>
struct RuleOf {
  static std::unique_ptr<CudaOptimizer> make(const Options& options) {
    return training::with_rule(options, []<class Rule>(const Rule& rule) -> std::unique_ptr<CudaOptimizer> {
      return std::make_unique<RuleDevice<Rule>>(rule);
    });
  }
};
/// Adds an optimizer that is a rule.
template <class Options>
using AddRule = CudaOptimizers::Add<RuleOf<Options>, Options>;

}  // namespace timbre::cuda
