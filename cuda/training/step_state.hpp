// The state of a training step in device memory: one captured graph serves every step.
#pragma once

#include <cstdint>

namespace timbre::cuda {

/// Numbers that last from step to step.
struct StepScalars {
  std::int64_t step;  // training steps done
  double learning_rate;
  double loss_sum;  // metrics since they were reset, as training::Metrics
  std::int64_t correct, rows, bad_step;
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
/// `chunk_size`.
struct Chunk {
  std::int64_t offset;
  std::int32_t size;
  float l1, twice_l2;
  double exact_l1, exact_l2;
  double weight_decay;  // training::Optimizer::weight_decay of the parameter
};
inline constexpr std::int64_t chunk_size = 1024;

}  // namespace timbre::cuda
