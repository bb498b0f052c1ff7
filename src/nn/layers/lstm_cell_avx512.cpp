// The LSTM time step for AVX-512. Compiled for it whatever the machine; lstm_cells() hands it out only where
// the processor has it.
#if defined(__x86_64__)
#include <immintrin.h>

#include <algorithm>

#include "nn/layers/lstm_cell.hpp"

// GCC 12 takes its own _mm512_undefined_ps() for a mistake.
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"

#pragma GCC push_options
#pragma GCC target("avx512f,avx512dq,avx512bw,avx512vl,avx2,fma")

namespace timbre::nn {
namespace {

struct V {
  using Type = __m512;
  static constexpr int lanes = 16, rows = 12;
  static inline Type load(const float* p) { return _mm512_loadu_ps(p); }
  static inline void store(float* p, Type v) { _mm512_storeu_ps(p, v); }
  static inline Type broadcast(float v) { return _mm512_set1_ps(v); }
  static inline Type zero() { return _mm512_setzero_ps(); }
  static inline Type fma(Type a, Type b, Type c) { return _mm512_fmadd_ps(a, b, c); }
  static inline Type add(Type a, Type b) { return _mm512_add_ps(a, b); }
  static inline Type sub(Type a, Type b) { return _mm512_sub_ps(a, b); }
  static inline Type mul(Type a, Type b) { return _mm512_mul_ps(a, b); }
  static inline Type div(Type a, Type b) { return _mm512_div_ps(a, b); }
  // The second operand is returned where one is NaN.
  static inline Type minimum(Type a, Type b) { return _mm512_min_ps(a, b); }
  static inline Type maximum(Type a, Type b) { return _mm512_max_ps(a, b); }
  static inline Type absolute(Type a) { return _mm512_andnot_ps(broadcast(-0.0f), a); }
  static inline Type copy_sign(Type magnitude, Type sign) {
    return _mm512_or_ps(magnitude, _mm512_and_ps(broadcast(-0.0f), sign));
  }
  static inline Type round(Type a) {
    return _mm512_roundscale_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
  }
  static inline Type power_of_2(Type n) { return _mm512_scalef_ps(broadcast(1.0f), n); }
};

#include "nn/layers/lstm_cell_kernel.inl"

}  // namespace

extern const LstmCell lstm_cell_avx512;
const LstmCell lstm_cell_avx512{"avx512", pack_forward, pack_backward, forward, backward};

}  // namespace timbre::nn

#pragma GCC pop_options
#endif
