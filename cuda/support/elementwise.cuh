// Kernels over a flat array: each thread takes every so many elements.
#pragma once

#include "support/kernel.hpp"

namespace timbre::cuda {

inline constexpr int elementwise_threads = 256;

/// Calls body(i) for every i in [0, n).
template <class Body>
__global__ void __launch_bounds__(elementwise_threads) elementwise_kernel(Body body, std::int64_t n) {
  const std::int64_t step = static_cast<std::int64_t>(gridDim.x) * blockDim.x;
  for (std::int64_t i = static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x; i < n; i += step)
    body(i);
}

/// Enqueues it; nothing for n = 0. Body is a functor with a __device__ operator()(std::int64_t) const.
template <class Body>
void for_each_element(cudaStream_t stream, std::int64_t n, Body body) {
  if (n <= 0) return;
  constexpr std::int64_t most = 1 << 16;
  const std::int64_t blocks = (n + elementwise_threads - 1) / elementwise_threads;
  launch(elementwise_kernel<Body>, dim3(static_cast<unsigned>(blocks < most ? blocks : most)),
         dim3(elementwise_threads), 0, stream, body, n);
}

}  // namespace timbre::cuda
