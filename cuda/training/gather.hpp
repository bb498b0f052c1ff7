// The rows of a batch, gathered by index from the data, and mixed with others where there is mixup (training/mixup.hpp); rows that
// are not live become zeros.
#pragma once

#include <cuda_runtime_api.h>

#include <cstdint>

#include "cuda/training/step_state.hpp"

namespace timbre::cuda {

/// Enqueues it. Pointers are to device memory. out [capacity, width]: the live rows of the batch, then zeros.
void gather_rows(cudaStream_t stream, const BatchHeader* batch, const BatchRows& rows, std::int64_t capacity,
                 std::int64_t width, float* out);

}  // namespace timbre::cuda
