// The LSTM time step for AVX2 with FMA. Compiled for it whatever the machine; lstm_cells() hands it out only
// where the processor has it.
#if defined(__x86_64__)
#include <immintrin.h>

#include <algorithm>

#include "nn/layers/lstm_cell.hpp"

#pragma GCC push_options
#pragma GCC target("avx2,fma")

namespace timbre::nn {
namespace {

struct V {
  using Type = __m256;
  static constexpr int lanes = 8, rows = 6;
  static inline Type load(const float* p) { return _mm256_loadu_ps(p); }
  static inline void store(float* p, Type v) { _mm256_storeu_ps(p, v); }
  static inline Type broadcast(float v) { return _mm256_set1_ps(v); }
  static inline Type zero() { return _mm256_setzero_ps(); }
  static inline Type fma(Type a, Type b, Type c) { return _mm256_fmadd_ps(a, b, c); }
  static inline Type add(Type a, Type b) { return _mm256_add_ps(a, b); }
  static inline Type sub(Type a, Type b) { return _mm256_sub_ps(a, b); }
  static inline Type mul(Type a, Type b) { return _mm256_mul_ps(a, b); }
  static inline Type div(Type a, Type b) { return _mm256_div_ps(a, b); }
  // The second operand is returned where one is NaN.
  static inline Type minimum(Type a, Type b) { return _mm256_min_ps(a, b); }
  static inline Type maximum(Type a, Type b) { return _mm256_max_ps(a, b); }
  static inline Type absolute(Type a) { return _mm256_andnot_ps(broadcast(-0.0f), a); }
  static inline Type copy_sign(Type magnitude, Type sign) {
    return _mm256_or_ps(magnitude, _mm256_and_ps(broadcast(-0.0f), sign));
  }
  static inline Type round(Type a) {
    return _mm256_round_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
  }
  static inline Type power_of_2(Type n) {
    const auto exponent = _mm256_add_epi32(_mm256_cvtps_epi32(n), _mm256_set1_epi32(127));
    return _mm256_castsi256_ps(_mm256_slli_epi32(exponent, 23));
  }
};

#include "nn/layers/lstm_cell_kernel.inl"

}  // namespace

extern const LstmCell lstm_cell_avx2;
const LstmCell lstm_cell_avx2{"avx2", pack_forward, pack_backward, forward, backward};

}  // namespace timbre::nn

#pragma GCC pop_options
#endif
