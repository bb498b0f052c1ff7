// SpecAugment on the device (training/spec_augment.hpp): the CPU's stripes.
#pragma once

#include <cuda_runtime_api.h>

#include <cstdint>

#include "training/spec_augment.hpp"

namespace timbre::cuda {

/// Enqueues it: hides stripes of the gathered rows x [capacity, T, F]; the step comes from device memory.
void hide_stripes(cudaStream_t stream, const training::SpecAugment& augment, const std::int64_t* step,
                  std::int64_t capacity, float* x);

}  // namespace timbre::cuda
