// The normal numbers of gaussian_noise (gaussian_noise.hpp has the formula), shared by the CPU's loop and the CUDA kernel.
#pragma once

#include <cmath>

#include "core/philox.hpp"

namespace timbre::nn {

/// Normals 0 to 3 of a block of philox's words.
struct NormalBlock {
  float v[4];
};
TIMBRE_HD inline NormalBlock normals_of(const PhiloxBlock& words) {
  NormalBlock out{};
  for (int pair = 0; pair < 2; ++pair) {
    const float u = (static_cast<float>(words.v[2 * pair] >> 8) + 0.5f) * 0x1p-24f;
    const float radius = sqrtf(-2.0f * logf(u)),
                angle = 6.28318530717958648f * uniform_float(words.v[2 * pair + 1]);
    out.v[2 * pair] = radius * cosf(angle);
    out.v[2 * pair + 1] = radius * sinf(angle);
  }
  return out;
}

}  // namespace timbre::nn
