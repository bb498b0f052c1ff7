// Kernels over a flat array: each thread takes every so many elements.
#pragma once

#include "cuda/support/kernel.hpp"

namespace timbre::cuda {

inline constexpr int elementwise_threads = 256;

/// Calls body(i) for every i in [0, n). Index is 32 bits wide where n allows it: a GPU divides 64 bits by
/// many instructions, and most bodies take an index apart.
template <class Index, class Body>
__global__ void __launch_bounds__(elementwise_threads) elementwise_kernel(Body body, Index n) {
  const Index step = static_cast<Index>(gridDim.x) * blockDim.x;
  for (Index i = static_cast<Index>(blockIdx.x) * blockDim.x + threadIdx.x; i < n; i += step) body(i);
}

/// Enqueues it; nothing for n = 0. Body is a functor with `template <class Index> __device__ void
/// operator()(Index) const`, unsigned 32 or 64 bits; what it divides by it brings to the Index.
template <class Body>
void for_each_element(cudaStream_t stream, std::int64_t n, Body body,
                      std::int64_t wide_from = std::int64_t{1} << 31) {
  if (n <= 0) return;
  constexpr std::int64_t most = 1 << 16;  // so i + step stays below 2^32
  const std::int64_t blocks = (n + elementwise_threads - 1) / elementwise_threads;
  const dim3 grid(static_cast<unsigned>(blocks < most ? blocks : most)), block(elementwise_threads);
  const auto enqueue = [&](auto index) {
    launch(elementwise_kernel<decltype(index), Body>, grid, block, 0, stream, body, n);
  };
  n < wide_from ? enqueue(std::uint32_t{}) : enqueue(std::uint64_t{});
}

}  // namespace timbre::cuda
