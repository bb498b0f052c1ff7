// What rows are divided by, shared by the CPU's loops and the CUDA kernels.
#pragma once

#include <cmath>
#include <cstdint>

#include "core/philox.hpp"  // TIMBRE_HD

namespace timbre::features {

/// Below this, librosa leaves a row as it is in place of dividing it by its norm: the smallest normal float64.
inline constexpr double smallest_norm = 2.2250738585072014e-308;

/// (sum over i of values[i]^p)^(1 / p), as numpy and librosa.util.normalize: the largest for an infinite p, the smallest for a
/// negative infinite one, how many are not 0 for 0; or 1 where that is next to 0. values [n] are not negative.
TIMBRE_HD inline double p_norm(double p, const double* values, std::int64_t n) {
  double out = 0;
  if (p > 1e300 || p < -1e300) {
    out = values[0];
    for (std::int64_t i = 1; i < n; ++i)
      if (p > 0 ? values[i] > out : values[i] < out) out = values[i];
  } else if (p == 0) {
    for (std::int64_t i = 0; i < n; ++i) out += values[i] > 0 ? 1 : 0;
  } else {
    for (std::int64_t i = 0; i < n; ++i) out += pow(values[i], p);
    out = pow(out, 1 / p);
  }
  return out < smallest_norm ? 1 : out;
}

}  // namespace timbre::features
