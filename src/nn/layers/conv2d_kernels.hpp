// The inner loops of convolution, compiled for each instruction set (see core/each_target.inc).
//
// Both are outer products kept in registers: a tile of `rows` by `panel` sums, one broadcast value and one
// panel of the other operand per step. Panels are `panel` floats wide and padded with zeros.
#pragma once

#include <cstdint>

namespace timbre::nn {

struct ConvKernels {
  static constexpr int max_rows = 12;
  static constexpr std::int64_t depth = 304;  // row stride of the tile `a` of multiply, and its largest k

  int rows;   // height of a full tile
  int panel;  // width of a tile

  /// c[r][0, panel) = or += sum over t < k of a[r * depth + t] * b[t * panel ...], for r < n <= rows.
  /// Rows are added in order of r, so that they may overlap.
  void (*multiply)(int n, std::int64_t k, const float* a, const float* b, float* const* c, bool add);

  /// c[r * ldc ...] += sum over p < count of x[offset[p] + r] * d[p * ldd ...], for r < n <= rows.
  void (*correlate)(int n, std::int64_t count, const std::int32_t* offset, const float* x, const float* d,
                    std::int64_t ldd, float* c, std::int64_t ldc);

  /// y[r * n + i] = max(x[r * ldx + i] + bias[i], 0), NaN kept.
  void (*bias_relu)(std::int64_t count, std::int64_t n, const float* x, std::int64_t ldx, const float* bias,
                    float* y);

  /// dz[r * ldz + i] = y[r * n + i] > 0 ? dy[r * n + i] : 0, and sum[i] += each, in order of r.
  void (*relu_slope)(std::int64_t count, std::int64_t n, const float* y, const float* dy, float* dz,
                     std::int64_t ldz, float* sum);

  /// sum[i] += x[i].
  void (*add)(std::int64_t n, const float* x, float* sum);
};

/// The best for this machine.
const ConvKernels& conv_kernels();

}  // namespace timbre::nn
