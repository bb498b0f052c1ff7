// The optimizers' arithmetic for one element, shared by the CPU's loops and the CUDA kernels. Each rule holds
// the numbers of one step, as floats; p is the parameter, g its gradient with the penalties, a and b its
// slots. The formulas stand with the optimizers, in optimizers/.
//
// Plain C++ that nvcc compiles for the device as well.
#pragma once

#include <cmath>

#include "core/philox.hpp"  // TIMBRE_ELEMENTWISE

namespace timbre::training {

/// The gradient with its penalties: g + l1 sign(p) + 2 l2 p, with sign(0) = 0.
TIMBRE_ELEMENTWISE inline float penalised(float g, float p, float l1, float twice_l2) {
  return g + l1 * float((p > 0.0f) - (p < 0.0f)) + twice_l2 * p;
}

struct AdamRule {
  static constexpr int slots = 2;
  float alpha, keep_1, keep_2, epsilon;  // keep: 1 - beta
  TIMBRE_ELEMENTWISE void operator()(float& p, float g, float& m, float& v) const {
    m += (g - m) * keep_1;
    v += (g * g - v) * keep_2;
    p -= alpha * m / (std::sqrt(v) + epsilon);
  }
};

/// Adam's learning rate at step t, which counts from 1.
TIMBRE_ELEMENTWISE inline double adam_alpha(double learning_rate, double beta_1, double beta_2, double t) {
  return learning_rate * std::sqrt(1.0 - std::pow(beta_2, t)) / (1.0 - std::pow(beta_1, t));
}

struct SgdRule {
  static constexpr int slots = 0;
  float rate;
  TIMBRE_ELEMENTWISE void operator()(float& p, float g) const { p -= rate * g; }
};

struct MomentumRule {
  static constexpr int slots = 1;
  float rate, momentum;
  bool nesterov;
  TIMBRE_ELEMENTWISE void operator()(float& p, float g, float& v) const {
    const float step = rate * g;
    v = momentum * v - step;
    p += nesterov ? momentum * v - step : v;
  }
};

struct RmspropRule {
  static constexpr int slots = 1;
  float rate, keep, epsilon;  // keep: 1 - rho
  TIMBRE_ELEMENTWISE void operator()(float& p, float g, float& v) const {
    v += (g * g - v) * keep;
    p -= rate * g / std::sqrt(v + epsilon);
  }
};

struct RmspropMomentumRule {
  static constexpr int slots = 2;
  float rate, keep, epsilon, momentum;
  TIMBRE_ELEMENTWISE void operator()(float& p, float g, float& v, float& b) const {
    v += (g * g - v) * keep;
    b = momentum * b + rate * g / std::sqrt(v + epsilon);
    p -= b;
  }
};

}  // namespace timbre::training
