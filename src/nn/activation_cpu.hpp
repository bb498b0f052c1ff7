// Activations over whole arrays on the CPU, for layers whose output is activation(z + bias).
//
// z and y are [rows, columns]; rows are cut into pieces by size, and the sums of the bias gradient are added in
// the order of pieces, so the bytes do not depend on the number of threads.
#pragma once

#include <cstdint>
#include <vector>

#include "core/gemm.hpp"
#include "core/parallel.hpp"
#include "nn/activation.hpp"

namespace timbre::nn {

/// z = activation(z + bias) in place; bias [columns] may be nullptr. Softmax runs over each row.
void apply_activation(ThreadPool& pool, Activation activation, const float* bias, float* z, std::int64_t rows,
                      std::int64_t columns);

/// The same for a tile of a product, rows of z `stride` apart, on the calling thread; not for softmax.
void activate(Activation activation, const float* bias, float* z, std::int64_t stride, Tile tile);

/// dy = dy * activation'(z) in place, from the output y; bias_gradient [columns], unless nullptr, is set to the
/// sum over the rows. `partial` is work space that is kept between calls.
void activation_gradient(ThreadPool& pool, Activation activation, const float* y, float* dy,
                         std::int64_t rows, std::int64_t columns, float* bias_gradient,
                         std::vector<float>& partial);

/// dx = dy * activation'(x) for those whose slope needs the input; dx may be dy.
void input_activation_gradient(ThreadPool& pool, Activation activation, const float* x, const float* dy,
                               float* dx, std::int64_t count);

}  // namespace timbre::nn
