#include "nn/layers/lstm_cell.hpp"

#include <algorithm>

#include "core/gemm.hpp"
#include "core/isa.hpp"
#include "core/simd.hpp"
#include "nn/vector_math.hpp"

namespace timbre::nn {

extern const LstmCell lstm_cell_avx512, lstm_cell_avx2;

namespace {

// The plain cell: the products by sgemm, the gates in loops over blocks of 16 units. Both packings are the
// matrix [units, 4 padded] with the columns in the order of z.
void pack_plain(const LstmSize& size, const float* recurrent, float* packed, std::int64_t first,
                std::int64_t last) {
  const auto units = size.units;
  for (std::int64_t k = 0; k < units; ++k)
    for (std::int64_t block = first; block < last; ++block)
      for (std::int64_t g = 0; g < 4; ++g) {
        const auto here = std::min<std::int64_t>(16, units - block * 16);
        float* to = packed + k * size.gates() + (block * 4 + g) * 16;
        std::fill(std::copy_n(recurrent + k * 4 * units + g * units + block * 16, here, to), to + 16, 0.0f);
      }
}

TIMBRE_SIMD void gates_forward(const LstmSize& size, const LstmForward& s) {
  for (std::int64_t r = 0; r < s.rows; ++r)
    for (std::int64_t block = 0; block < size.padded / 16; ++block) {
      float* z = s.z + r * size.gates() + block * 64;
      const float* bias = s.bias + block * 64;
      const auto at = r * size.padded + block * 16;
#pragma omp simd
      for (int u = 0; u < 16; ++u) {
        const float i = sigmoid(z[u] + bias[u]), f = sigmoid(z[16 + u] + bias[16 + u]),
                    g = hyperbolic_tangent(z[32 + u] + bias[32 + u]), o = sigmoid(z[48 + u] + bias[48 + u]);
        const float c = f * s.c_before[at + u] + i * g, t = hyperbolic_tangent(c);
        z[u] = i, z[16 + u] = f, z[32 + u] = g, z[48 + u] = o;
        s.c[at + u] = c, s.tanh_c[at + u] = t, s.h[at + u] = o * t;
      }
    }
}

void forward(const LstmSize& size, const LstmForward& s) {
  gemm(Op::none, Op::none, s.rows, size.gates(), size.units, 1, s.h_before, size.padded, s.recurrent,
       size.gates(), 1, s.z, size.gates());
  gates_forward(size, s);
}

TIMBRE_SIMD void gates_backward(const LstmSize& size, const LstmBackward& s) {
  for (std::int64_t r = 0; r < s.rows; ++r)
    for (std::int64_t block = 0; block < size.padded / 16; ++block) {
      float* z = s.z + r * size.gates() + block * 64;
      const auto at = r * size.padded + block * 16;
#pragma omp simd
      for (int u = 0; u < 16; ++u) {
        const float i = z[u], f = z[16 + u], g = z[32 + u], o = z[48 + u];
        const float t = s.tanh_c[at + u], dho = s.dh[at + u] * o;
        const float dc = s.dc[at + u] + dho * (1.0f - t * t);
        z[u] = dc * g * (i * (1.0f - i));
        z[16 + u] = dc * s.c_before[at + u] * (f * (1.0f - f));
        z[32 + u] = dc * i * (1.0f - g * g);
        z[48 + u] = dho * t * (1.0f - o);
        s.dc[at + u] = dc * f;
      }
    }
}

void backward(const LstmSize& size, const LstmBackward& s) {
  if (s.dz_after)
    gemm(Op::none, Op::transpose, s.rows, size.units, size.gates(), 1, s.dz_after, size.gates(), s.recurrent,
         size.gates(), 1, s.dh, size.padded);
  gates_backward(size, s);
}

const LstmCell plain{"plain", pack_plain, pack_plain, forward, backward};

}  // namespace

const std::vector<const LstmCell*>& lstm_cells() {
  static const auto cells = [] {
    std::vector<const LstmCell*> out;
    if (isa() >= Isa::avx512) out.push_back(&lstm_cell_avx512);
    if (isa() >= Isa::avx2) out.push_back(&lstm_cell_avx2);
    out.push_back(&plain);
    return out;
  }();
  return cells;
}

}  // namespace timbre::nn
