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
  double gradient_norm_sum;
};

/// The batch of the next step: where its data lie, and how many rows are live. In device memory with the arrays of BatchRows
/// behind it.
struct BatchHeader {
  const float* features;       // [.., width]
  const std::int32_t* labels;  // [..]
  std::int32_t live;
  std::int32_t padding;
};

/// Which rows of the data a batch has [capacity], and with mixup those that they are mixed with, and their own shares; else null.
struct BatchRows {
  const std::int32_t* rows;
  const std::int32_t* others = nullptr;
  const float* shares = nullptr;
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
