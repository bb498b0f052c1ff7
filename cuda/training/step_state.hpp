// What a training step keeps in device memory, so that one captured graph serves every step.
#pragma once

#include <cstdint>

#include "training/optimizer_rules.hpp"

namespace timbre::cuda {

/// Numbers that last from step to step.
struct StepScalars {
  std::int64_t step;  // training steps done
  double learning_rate;
  float rate;       // the optimizer's, of this step
  double loss_sum;  // metrics since they were reset, as training::Metrics
  std::int64_t correct, rows, bad_step;
};

/// The rate of an optimizer's rule in step `step` (from 1): the learning rate, or Adam's alpha.
struct StepRate {
  bool adam = false;
  double beta_1 = 0, beta_2 = 0;
  TIMBRE_ELEMENTWISE double operator()(double learning_rate, std::int64_t step) const {
    return adam ? training::adam_alpha(learning_rate, beta_1, beta_2, static_cast<double>(step))
                : learning_rate;
  }
};

/// The batch of the next step: where its data lie, how many rows are live, and which they are. In device
/// memory with `rows` [capacity] behind it.
struct BatchHeader {
  const float* features;       // [.., width]
  const std::int32_t* labels;  // [..]
  std::int32_t live;
  std::int32_t padding;
};

/// Pieces of the arena that the optimizer and the penalties go through: no piece is longer than
/// `stretch_size`.
struct Stretch {
  std::int64_t offset;
  std::int32_t size;
  float l1, twice_l2;
  double exact_l1, exact_l2;
};
inline constexpr std::int64_t stretch_size = 1024;

}  // namespace timbre::cuda
