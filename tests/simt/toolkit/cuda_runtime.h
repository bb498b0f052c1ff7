// A stand-in for the language of kernels: g++ compiles their source with it, and host/block.hpp runs them.
#pragma once

#include <atomic>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <source_location>

#include "cuda_runtime_api.h"
#include "host/device.hpp"

#define __global__ inline  // tests include .cu files that the library has, too
#define __device__
#define __host__
#define __forceinline__ inline
#define __launch_bounds__(...)
#define __align__(n) alignas(n)

#define threadIdx (::simt::thread_index())
#define blockIdx (::simt::block_index())
#define blockDim (::simt::block_size())
#define gridDim (::simt::grid_size())
using dim3 = simt::Dim3;

// Shared memory is asked for where the variable is declared; the lambda's static is the variable's name.
#define TIMBRE_SHARED(type, name, extent)                            \
  using name##_of_block = type extent;                               \
  auto& name = *static_cast<name##_of_block*>(::simt::static_shared( \
      [] {                                                           \
        static const char key = 0;                                   \
        return static_cast<const void*>(&key);                       \
      }(),                                                           \
      sizeof(name##_of_block), alignof(name##_of_block)))
#define TIMBRE_DYNAMIC_SHARED(type, name) type* const name = static_cast<type*>(::simt::dynamic_shared())

#define SIMT_HERE const std::source_location& where = std::source_location::current()

inline void __syncthreads(SIMT_HERE) { simt::block_barrier(where); }
inline void __syncwarp(unsigned mask = 0xffffffffu, SIMT_HERE) { simt::warp_barrier(mask, where); }

namespace simt {
/// A shuffle of any type of at most eight bytes; a source outside the lane's part of `width` gives its own
/// value.
template <class T>
T shuffle(unsigned mask, T value, unsigned source, bool inside, const std::source_location& where) {
  static_assert(sizeof(T) <= 8);
  std::uint64_t bits = 0;
  std::memcpy(&bits, &value, sizeof value);
  bits = exchange(mask, bits, inside ? source : lane(), where);
  std::memcpy(&value, &bits, sizeof value);
  return value;
}
}  // namespace simt

template <class T>
T __shfl_sync(unsigned mask, T value, int source, int width = 32, SIMT_HERE) {
  const unsigned lane = simt::lane(), w = static_cast<unsigned>(width);
  return simt::shuffle(mask, value, lane / w * w + static_cast<unsigned>(source) % w, true, where);
}
template <class T>
T __shfl_xor_sync(unsigned mask, T value, int distance, int width = 32, SIMT_HERE) {
  const unsigned lane = simt::lane(), w = static_cast<unsigned>(width),
                 source = lane ^ static_cast<unsigned>(distance);
  return simt::shuffle(mask, value, source, source / w <= lane / w, where);
}
template <class T>
T __shfl_down_sync(unsigned mask, T value, unsigned distance, int width = 32, SIMT_HERE) {
  const unsigned lane = simt::lane(), w = static_cast<unsigned>(width);
  return simt::shuffle(mask, value, lane + distance, lane % w + distance < w, where);
}
template <class T>
T __shfl_up_sync(unsigned mask, T value, unsigned distance, int width = 32, SIMT_HERE) {
  const unsigned lane = simt::lane(), w = static_cast<unsigned>(width);
  return simt::shuffle(mask, value, lane - distance, lane % w >= distance, where);
}
inline unsigned __ballot_sync(unsigned mask, int predicate, SIMT_HERE) {
  return simt::vote(mask, predicate != 0, where);
}
inline int __any_sync(unsigned mask, int predicate, SIMT_HERE) {
  return simt::vote(mask, predicate != 0, where) != 0;
}
inline int __all_sync(unsigned mask, int predicate, SIMT_HERE) {
  return simt::vote(mask, predicate != 0, where) == mask;
}

// Fibers change places only at barriers, so plain memory accesses are atomic.
template <class T>
T atomicAdd(T* p, T v) {
  const T old = *p;
  *p = old + v;
  return old;
}
template <class T>
T atomicMax(T* p, T v) {
  const T old = *p;
  if (v > old) *p = v;
  return old;
}
template <class T>
T atomicExch(T* p, T v) {
  const T old = *p;
  *p = v;
  return old;
}
template <class T>
T atomicCAS(T* p, T expected, T v) {
  const T old = *p;
  if (old == expected) *p = v;
  return old;
}
inline void __threadfence() {}

template <class T>
T __ldg(const T* p) {
  return *p;
}
inline int __float_as_int(float v) {
  int bits;
  std::memcpy(&bits, &v, sizeof bits);
  return bits;
}
inline float rsqrtf(float x) { return 1.0f / std::sqrt(x); }

#undef SIMT_HERE
