// Numbers that somebody who measures on a GPU may want to turn without building again, each an environment
// variable with its default where it is used:
//
//   TIMBRE_CUDA_EVALUATION_ROWS  rows that an evaluation takes at once, at least   (training/cuda_step.cpp)
//   TIMBRE_CUDA_WINDOW_FLOATS    floats of conv2d's window matrix, at most         (layers/conv2d.cpp)
//   TIMBRE_LSTM_SINGLE_ROWS      batches up to this size have a row a block (layers/lstm_recurrence.cu)
//
// Other variables of the back end: TIMBRE_LSTM (layers/lstm.cpp), TIMBRE_CUDA_GRAPHS (training/graph.hpp),
// TIMBRE_CUDA_LIBRARIES (src/device).
#pragma once

#include <cstdint>

namespace timbre::cuda {

/// The variable's value; `otherwise` where it is not set or empty. Throws RequestError where it is no whole number of at
/// least 0.
std::int64_t tuning(const char* variable, std::int64_t otherwise);

}  // namespace timbre::cuda
