// Activations (nn/activation.hpp has the functions): bias and activation in one pass, the slopes, and softmax
// over rows, one warp per row.
#pragma once

#include "nn/activation.hpp"
#include "support/elementwise.cuh"
#include "support/warp.cuh"

namespace timbre::cuda {

/// z = activation(z + bias); bias [columns] may be null.
template <class F>
struct BiasActivation {
  float* z;
  const float* bias;
  std::int64_t columns;
  template <class Index>
  __device__ void operator()(Index i) const {
    z[i] = F::value(bias ? z[i] + bias[i % static_cast<Index>(columns)] : z[i]);
  }
};

/// to = from * activation'(z), from the output y
template <class F>
struct Slope {
  const float* y;
  const float* from;
  float* to;
  template <class Index>
  __device__ void operator()(Index i) const {
    to[i] = from[i] * F::slope(y[i]);
  }
};

inline constexpr int softmax_rows_per_block = 4;

/// y = e^(z + bias - max) / sum, in place, for each row; bias may be null.
__global__ void __launch_bounds__(warp_size* softmax_rows_per_block)
    softmax_rows_kernel(float* __restrict__ z, const float* __restrict__ bias, std::int64_t rows,
                        std::int64_t columns) {
  const std::int64_t row = static_cast<std::int64_t>(blockIdx.x) * softmax_rows_per_block + threadIdx.y;
  if (row >= rows) return;  // a whole warp
  const int lane = static_cast<int>(threadIdx.x);
  float* v = z + row * columns;
  float top = -INFINITY;
  for (std::int64_t c = lane; c < columns; c += warp_size) {
    if (bias) v[c] += bias[c];
    top = fmaxf(top, v[c]);
  }
  top = warp_largest(top);
  float sum = 0;
  for (std::int64_t c = lane; c < columns; c += warp_size) sum += v[c] = expf(v[c] - top);
  sum = warp_sum(sum);
  for (std::int64_t c = lane; c < columns; c += warp_size) v[c] /= sum;
}

/// to = y (from - sum(from y)) for each row
__global__ void __launch_bounds__(warp_size* softmax_rows_per_block)
    softmax_slopes_kernel(const float* __restrict__ y, const float* from, float* to, std::int64_t rows,
                          std::int64_t columns) {
  const std::int64_t row = static_cast<std::int64_t>(blockIdx.x) * softmax_rows_per_block + threadIdx.y;
  if (row >= rows) return;
  const std::int64_t at = row * columns;
  float sum = 0;
  for (std::int64_t c = threadIdx.x; c < columns; c += warp_size) sum += from[at + c] * y[at + c];
  sum = warp_sum(sum);
  for (std::int64_t c = threadIdx.x; c < columns; c += warp_size)
    to[at + c] = y[at + c] * (from[at + c] - sum);
}

}  // namespace timbre::cuda
