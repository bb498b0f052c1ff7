// The moving average of the weights on the device (training/moving_average.hpp).
#pragma once

#include <cuda_runtime_api.h>

#include <cstdint>

#include "training/moving_average.hpp"

namespace timbre::cuda {

/// Enqueues it: average and arena [count] after the step that *step counts.
void move_average(cudaStream_t stream, const training::MovingAverage& rule, const std::int64_t* step,
                  std::int64_t count, float* average, float* arena);

/// Enqueues that the average and the arena change places.
void swap_average(cudaStream_t stream, std::int64_t count, float* average, float* arena);

}  // namespace timbre::cuda
