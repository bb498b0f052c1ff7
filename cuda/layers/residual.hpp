// The sum of two arrays, as a function that enqueues a kernel (residual.cu): what ends a block, and what brings gradients of one
// array together. Pointers are to device memory.
#pragma once

#include <cuda_runtime_api.h>

#include <cstdint>

namespace timbre::cuda {

/// y = a + b, `count` values; y may be a.
void add_arrays(cudaStream_t stream, const float* a, const float* b, float* y, std::int64_t count);

}  // namespace timbre::cuda
