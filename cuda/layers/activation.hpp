// Activations, biases and their gradients for all layers, as functions that enqueue kernels (activation.cu). Pointers are to
// device memory; the caller answers for sizes. z, y, from, to: [rows, columns].
#pragma once

#include <cuda_runtime_api.h>

#include <cstdint>

#include "nn/activation.hpp"

namespace timbre::cuda {

/// z = activation(z + bias) in place; bias [columns] may be null.
void bias_activation(cudaStream_t stream, nn::Activation activation, const float* bias, float* z,
                     std::int64_t rows, std::int64_t columns);
/// to = from * activation'(z), from the output y; to may be from.
void activation_slope(cudaStream_t stream, nn::Activation activation, const float* y, const float* from,
                      float* to, std::int64_t rows, std::int64_t columns);
/// to = from * activation'(x) for those whose slope needs the input, silu and gelu; to may be from.
void input_activation_slope(cudaStream_t stream, nn::Activation activation, const float* x, const float* from,
                            float* to, std::int64_t count);

/// The same as activation_slope in place, and bias_gradient [columns], if not null, are the sums of what comes out over the rows;
/// work as for column_sums.
void activation_backward(cudaStream_t stream, nn::Activation activation, const float* y, float* dy,
                         std::int64_t rows, std::int64_t columns, float* work, float* bias_gradient);
/// total [columns]: sums over the rows, in an order that depends on the size alone. work: column_sums_work
/// floats.
void column_sums(cudaStream_t stream, const float* a, std::int64_t rows, std::int64_t columns, float* work,
                 float* total);
std::int64_t column_sums_work(std::int64_t rows, std::int64_t columns);

}  // namespace timbre::cuda
