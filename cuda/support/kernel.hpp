// Included by kernel sources: one dialect for two compilers. nvcc compiles kernels for the GPU; g++ compiles
// the very same source against the stand-in toolkit of tests/simt, whose <cuda_runtime.h> runs them on the
// CPU.
//
// Differences from plain CUDA C++, because g++ has to find shared memory and launches (and knows no pragma
// unroll):
//
//   TIMBRE_SHARED(float, tile, [32][33]);   instead of  __shared__ float tile[32][33];
//   TIMBRE_DYNAMIC_SHARED(float, row);      instead of  extern __shared__ float row[];   (16-byte aligned)
//   TIMBRE_UNROLL                           instead of  #pragma unroll
//   launch(kernel, grid, block, shared_bytes, stream, arguments...)   instead of  kernel<<<...>>>(...)
//
// No fmt and no yaml-cpp in what is included here: fmt 9 does not compile in a .cu under C++20.
#pragma once

#include <cuda_runtime.h>

#include <cstddef>
#include <cstdint>

#include "cuda/support/check.hpp"

#ifndef TIMBRE_SIMT_HOST
#define TIMBRE_UNROLL _Pragma("unroll")
#define TIMBRE_SHARED(type, name, extent) __shared__ type name extent
#define TIMBRE_DYNAMIC_SHARED(type, name)                                \
  extern __shared__ __align__(16) unsigned char timbre_dynamic_shared[]; \
  type* const name = reinterpret_cast<type*>(timbre_dynamic_shared)
#else
#define TIMBRE_UNROLL
#endif

namespace timbre::cuda {

inline constexpr int warp_size = 32;
inline constexpr unsigned whole_warp = 0xffffffffu;

/// Enqueues a kernel. More than 48 kB of dynamic shared memory are asked for. Throws Error where the launch
/// is refused.
template <class... Parameters, class... Arguments>
void launch(void (*kernel)(Parameters...), dim3 grid, dim3 block, std::size_t shared_bytes,
            cudaStream_t stream, Arguments... arguments) {
  if (shared_bytes > 48 * 1024)
    TIMBRE_CUDA_CHECK(cudaFuncSetAttribute(reinterpret_cast<const void*>(kernel),
                                           cudaFuncAttributeMaxDynamicSharedMemorySize,
                                           static_cast<int>(shared_bytes)));
#ifdef TIMBRE_SIMT_HOST
  simt::enqueue(kernel, grid, block, shared_bytes, stream, static_cast<Parameters>(arguments)...);
#else
  // clang-format off
  kernel<<<grid, block, shared_bytes, stream>>>(static_cast<Parameters>(arguments)...);
  // clang-format on
#endif
  TIMBRE_CUDA_CHECK(cudaGetLastError());
}

}  // namespace timbre::cuda
