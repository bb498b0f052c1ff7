// The rows of a batch, gathered by index from the data; rows that are not live become zeros.
#pragma once

#include "support/elementwise.cuh"
#include "training/step_state.hpp"

namespace timbre::cuda {

/// One value of out [capacity, width].
struct GatherRows {
  const BatchHeader* batch;
  const std::int32_t* rows;
  std::int64_t width;
  float* out;
  __device__ void operator()(std::int64_t i) const {
    const std::int64_t row = i / width;
    out[i] =
        row < batch->live ? batch->features[static_cast<std::int64_t>(rows[row]) * width + i % width] : 0.0f;
  }
};

}  // namespace timbre::cuda
