// RMSprop in Keras's form (Tieleman and Hinton 2012), without centring:
//
//   v = rho v + (1 - rho) g^2;  step = lr g / sqrt(v + eps)      eps inside the root
//   momentum = 0:  p -= step          otherwise:  b = momentum b + step;  p -= b
//
// Errors: RequestError for a rate or an epsilon that is not positive, and for a rho or momentum outside [0, 1).
// Source: keras/src/optimizers/rmsprop.py.
#pragma once

#include <cmath>

#include "config/forward.hpp"
#include "training/optimizer_rules.hpp"

namespace timbre::training {

struct RmspropOptions {
  static constexpr auto part = "rmsprop";
  double learning_rate = 1e-3, rho = 0.9, momentum = 0, epsilon = 1e-7;
};
const config::Schema<RmspropOptions>& schema(config::of<RmspropOptions>);

struct RmspropRule {
  static constexpr int slots = 1;
  float keep, epsilon;  // keep: 1 - rho
  float rate = 0;
  TIMBRE_HD RmspropRule at_step(double learning_rate, std::int64_t) const {
    return {keep, epsilon, static_cast<float>(learning_rate)};
  }
  TIMBRE_ELEMENTWISE void operator()(float& p, float g, float& v) const {
    v += (g * g - v) * keep;
    p -= rate * g / std::sqrt(v + epsilon);
  }
};

struct RmspropMomentumRule {
  static constexpr int slots = 2;
  float keep, epsilon, momentum;
  float rate = 0;
  TIMBRE_HD RmspropMomentumRule at_step(double learning_rate, std::int64_t) const {
    return {keep, epsilon, momentum, static_cast<float>(learning_rate)};
  }
  TIMBRE_ELEMENTWISE void operator()(float& p, float g, float& v, float& b) const {
    v += (g * g - v) * keep;
    b = momentum * b + rate * g / std::sqrt(v + epsilon);
    p -= b;
  }
};

inline std::variant<RmspropRule, RmspropMomentumRule> rule_of(const RmspropOptions& o) {
  const auto keep = float(1.0 - o.rho), epsilon = float(o.epsilon);
  if (o.momentum > 0) return RmspropMomentumRule{keep, epsilon, float(o.momentum)};
  return RmspropRule{keep, epsilon};
}

}  // namespace timbre::training
