// The end of a step: the penalties' sum, the metrics, and the optimizer's rule over the whole arena in one
// launch.
#pragma once

#include "support/warp.cuh"
#include "training/optimizer_rules.hpp"
#include "training/step_state.hpp"

namespace timbre::cuda {

inline constexpr int update_threads = 256;

/// partial[i]: the penalty of stretch i. One block per stretch; doubles, in a fixed order.
__global__ void __launch_bounds__(update_threads)
    penalties_kernel(const Stretch* __restrict__ stretches, const float* __restrict__ arena,
                     double* __restrict__ partial) {
  TIMBRE_SHARED(double, part, [warp_size]);
  const Stretch s = stretches[blockIdx.x];
  double absolute = 0, square = 0;
  if (s.l1 > 0.0f || s.twice_l2 > 0.0f)
    for (std::int32_t i = static_cast<std::int32_t>(threadIdx.x); i < s.size; i += update_threads) {
      const double p = arena[s.offset + i];
      absolute += fabs(p), square += p * p;
    }
  const double sum = block_sum(s.exact_l1 * absolute + s.exact_l2 * square, part);
  if (threadIdx.x == 0) partial[blockIdx.x] = sum;
}

/// One block: total = the sum of the partial penalties; with `scalars`, the batch's loss (penalties included,
/// weighted by its rows, as Keras's running mean has them) and hits are added to the metrics, the step is
/// counted, and its rate set (by a warp that has nothing else to do: a power in double takes its time).
__global__ void __launch_bounds__(update_threads)
    finish_loss_kernel(const double* __restrict__ partial, std::int64_t stretches,
                       const float* __restrict__ losses, const std::int32_t* __restrict__ hits,
                       const BatchHeader* __restrict__ batch, StepRate rate, StepScalars* scalars,
                       double* __restrict__ total) {
  TIMBRE_SHARED(double, part, [warp_size]);
  TIMBRE_SHARED(double, part_loss, [warp_size]);
  TIMBRE_SHARED(std::int64_t, part_hits, [warp_size]);
  double penalty = 0, loss = 0;
  std::int64_t correct = 0;
  if (scalars && threadIdx.x == update_threads - 1)
    scalars->rate = static_cast<float>(rate(scalars->learning_rate, scalars->step + 1));
  for (std::int64_t i = threadIdx.x; i < stretches; i += update_threads) penalty += partial[i];
  penalty = block_sum(penalty, part);
  if (threadIdx.x == 0) *total = penalty;
  if (!scalars) return;
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

/// A rule with the step's rate in it.
template <class Rule>
__device__ Rule with_rate(Rule rule, float rate) {
  if constexpr (requires { rule.alpha; })
    rule.alpha = rate;
  else
    rule.rate = rate;
  return rule;
}

/// One block per stretch of the arena.
template <class Rule>
__global__ void __launch_bounds__(update_threads)
    update_kernel(const Stretch* __restrict__ stretches, Rule fixed, const StepScalars* __restrict__ scalars,
                  float* __restrict__ arena, const float* __restrict__ gradients, float* __restrict__ first,
                  float* __restrict__ second) {
  const Stretch s = stretches[blockIdx.x];
  const Rule rule = with_rate(fixed, scalars->rate);
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

}  // namespace timbre::cuda
