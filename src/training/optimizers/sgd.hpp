// Stochastic gradient descent with momentum, Keras's form:
//
//   momentum = 0:  p -= lr g
//   otherwise:     v = momentum v - lr g;  p += v            (nesterov: p += momentum v - lr g)
//
// Errors: RequestError for a rate that is not positive, and for a momentum outside [0, 1).
// Source: keras/src/optimizers/sgd.py.
#pragma once

#include "config/forward.hpp"
#include "training/optimizer_rules.hpp"

namespace timbre::training {

struct SgdOptions {
  static constexpr auto part = "sgd";
  double learning_rate = 1e-2, momentum = 0;
  bool nesterov = false;
};
const config::Schema<SgdOptions>& schema(config::of<SgdOptions>);

struct SgdRule {
  static constexpr int slots = 0;
  float rate = 0;
  TIMBRE_HD SgdRule at_step(double learning_rate, std::int64_t) const {
    return {static_cast<float>(learning_rate)};
  }
  TIMBRE_ELEMENTWISE void operator()(float& p, float g) const { p -= rate * g; }
};

struct MomentumRule {
  static constexpr int slots = 1;
  float momentum;
  bool nesterov;
  float rate = 0;
  TIMBRE_HD MomentumRule at_step(double learning_rate, std::int64_t) const {
    return {momentum, nesterov, static_cast<float>(learning_rate)};
  }
  TIMBRE_ELEMENTWISE void operator()(float& p, float g, float& v) const {
    const float step = rate * g;
    v = momentum * v - step;
    p += nesterov ? momentum * v - step : v;
  }
};

inline std::variant<SgdRule, MomentumRule> rule_of(const SgdOptions& o) {
  if (o.momentum > 0) return MomentumRule{float(o.momentum), o.nesterov};
  return SgdRule{};
}

}  // namespace timbre::training
