// One unit of one step of a GRU (gru.hpp has the formula), shared by the CPU's loops and the CUDA kernels.
#pragma once

#include "nn/vector_math.hpp"

namespace timbre::nn {

/// What a step gives for a unit; backward needs all of it.
struct GruUnit {
  float z, r, n, h;
};
/// x: x W + b of the three gates; recurrent: h R + c.
TIMBRE_ELEMENTWISE inline GruUnit gru_forward(const float (&x)[3], const float (&recurrent)[3],
                                              float h_before) {
  GruUnit u;
  u.z = sigmoid(x[0] + recurrent[0]);
  u.r = sigmoid(x[1] + recurrent[1]);
  u.n = hyperbolic_tangent(x[2] + u.r * recurrent[2]);
  u.h = u.z * h_before + (1.0f - u.z) * u.n;
  return u;
}

struct GruGradient {
  float z, r, n;  // of x W + b; those of h R + c are z, r and n_recurrent
  float n_recurrent;
  float h_before;  // the direct part, without that through R
};
/// recurrent_n: h Rh + ch. dh: the gradient of h.
TIMBRE_ELEMENTWISE inline GruGradient gru_backward(float z, float r, float n, float recurrent_n,
                                                   float h_before, float dh) {
  GruGradient g;
  g.n = dh * (1.0f - z) * (1.0f - n * n);
  g.z = dh * (h_before - n) * z * (1.0f - z);
  g.r = g.n * recurrent_n * r * (1.0f - r);
  g.n_recurrent = g.n * r;
  g.h_before = dh * z;
  return g;
}

}  // namespace timbre::nn
