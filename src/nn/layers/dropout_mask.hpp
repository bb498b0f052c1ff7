// Dropout's mask for one element, shared by the CPU's loop and the CUDA kernel: the same bits on both (the
// formula is in dropout.cpp).
#pragma once

#include "core/philox.hpp"

namespace timbre::nn {

/// 1 / (1 - rate), or 0 where the element is dropped; `word` is its word of philox.
TIMBRE_ELEMENTWISE inline float dropout_mask(std::uint32_t word, float rate, float scale) {
  return uniform_float(word) >= rate ? scale : 0.0f;
}

}  // namespace timbre::nn
