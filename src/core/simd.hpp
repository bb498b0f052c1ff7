// TIMBRE_SIMD before a function compiles it for AVX-512, AVX2 and plain x86-64, chosen when the program starts.
// Contraction is off (-ffp-contract=off), so loops without reductions give the same bytes in all three; a
// reduction marked `omp simd` may not. Sanitizer builds use the plain version alone: the resolvers run before
// the sanitizers are ready.
#pragma once

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || !defined(__x86_64__) || \
    defined(__CUDACC__)
#define TIMBRE_SIMD
#else
#define TIMBRE_SIMD __attribute__((target_clones("arch=skylake-avx512", "avx2", "default"), flatten))
#endif
