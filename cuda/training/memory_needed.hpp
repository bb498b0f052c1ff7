// How much of a GPU's memory a training step takes, before it is made: runs that share a GPU are admitted by it.
//
// An estimate from above, in bytes: parameters, gradients and what an optimizer keeps; what layers put out and keep for the
// way back, in the batch of training and in that of evaluation; the windows of convolutions by columns; the data.
#pragma once

#include <cstdint>

#include "training/step.hpp"

namespace timbre::cuda {

/// Of what the back end itself allocates, `rows` rows of data on the device included. What the libraries keep for a handle
/// comes on top (`library_memory`).
std::int64_t own_memory_needed(const training::StepOptions& options, std::int64_t rows);

/// Of cuBLAS's and cuDNN's handles and of graphs, for one step: a guess, which no GPU has confirmed yet.
inline constexpr std::int64_t library_memory = std::int64_t{192} << 20;

inline std::int64_t memory_needed(const training::StepOptions& options, std::int64_t rows) {
  return own_memory_needed(options, rows) + library_memory;
}

}  // namespace timbre::cuda
