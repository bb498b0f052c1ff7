// Plain loops, compiled for each instruction set and chosen by isa(), as the kernels of each_target.inc are:
//
//   void add(const float* a, std::int64_t n, float* sum) {
//     vectorised([&] {
//       for (std::int64_t i = 0; i < n; ++i) sum[i] += a[i];
//     });
//   }
//
// The compiler makes vectors of such a loop by itself. It may not contract (-ffp-contract=off), so a loop without
// reductions gives the same bytes for every set; a reduction marked `omp simd` may not. All that the loop calls is
// inlined, or stays code for plain x86-64.
#pragma once

#include "core/isa.hpp"

namespace timbre {

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__CUDACC__)
namespace detail {
template <class Loop>
__attribute__((target("avx2,fma"), flatten, noinline)) auto in_avx2(const Loop& loop) {
  return loop();
}
template <class Loop>
__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma"), flatten, noinline)) auto in_avx512(
    const Loop& loop) {
  return loop();
}
}  // namespace detail
#endif

/// Runs the loop, and returns what it returns.
template <class Loop>
auto vectorised(const Loop& loop) {
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__CUDACC__)
  switch (isa()) {
    case Isa::avx512:
      return detail::in_avx512(loop);
    case Isa::avx2:
      return detail::in_avx2(loop);
    case Isa::generic:
      break;
  }
#endif
  return loop();
}

}  // namespace timbre
