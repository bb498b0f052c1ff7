// The inner loops of convolution, compiled for each instruction set (see core/each_target.inc).
//
// Both are outer products kept in registers: a tile of a few rows by `panel` sums, and in each step one panel
// of one operand times a broadcast value for each row. Values to broadcast are read where they lie (an address
// per row, an offset per step), so no column matrix is built. Panels are padded with zeros.
#pragma once

#include <cstdint>

namespace timbre::nn {

struct ConvKernels {
  static constexpr int max_rows = 12;

  /// What multiply does with its sums.
  enum class Finish { set, add, bias, bias_relu };

  int multiply_rows, correlate_rows;  // heights of full tiles
  int panel;                          // width of a tile

  /// c[r][0, panel) from the sums over t < k of a[r][at[t]] * b[t * panel ...], for r < n <= multiply_rows:
  /// set, added to the old values (in order of r, so that rows may overlap), or with bias[0, panel) added and
  /// negative ones zero (NaN kept).
  void (*multiply)(int n, std::int64_t k, const std::int32_t* at, const float* const* a, const float* b,
                   float* const* c, Finish finish, const float* bias);

  /// c[r * ldc ...] = (or +=, if add) sum over p < count of x[offset[p] + r] * d[p * ldd ...], for
  /// r < n <= correlate_rows.
  void (*correlate)(int n, std::int64_t count, const std::int32_t* offset, const float* x, const float* d,
                    std::int64_t ldd, float* c, std::int64_t ldc, bool add);

  /// dz[r * ldz + i] = y[r * n + i] > 0 ? dy[r * n + i] : 0, and sum[i] += each, in order of r.
  void (*relu_slope)(std::int64_t count, std::int64_t n, const float* y, const float* dy, float* dz,
                     std::int64_t ldz, float* sum);

  /// sum[i] += x[i].
  void (*add)(std::int64_t n, const float* x, float* sum);
};

/// The best for this machine.
const ConvKernels& conv_kernels();

}  // namespace timbre::nn
