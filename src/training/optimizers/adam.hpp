// Adam in Keras's form (Kingma and Ba 2015, section 2, last paragraph):
//
//   m = b1 m + (1 - b1) g;  v = b2 v + (1 - b2) g^2;  a_t = lr sqrt(1 - b2^t) / (1 - b1^t)
//   p -= a_t m / (sqrt(v) + eps)          with v uncorrected
//
// Errors: RequestError for a rate or an epsilon that is not positive, and for a beta outside [0, 1).
// Source: keras/src/optimizers/adam.py.
#pragma once

#include <cmath>

#include "config/forward.hpp"
#include "training/optimizer_rules.hpp"

namespace timbre::training {

struct AdamOptions {
  static constexpr auto part = "adam";
  double learning_rate = 1e-3, beta_1 = 0.9, beta_2 = 0.999, epsilon = 1e-7;
};
const config::Schema<AdamOptions>& schema(config::of<AdamOptions>);

struct AdamRule {
  static constexpr int slots = 2;
  double beta_1, beta_2;
  float keep_1, keep_2, epsilon;  // keep: 1 - beta
  float alpha = 0;                // a_t
  TIMBRE_HD AdamRule at_step(double learning_rate, std::int64_t step) const {
    AdamRule now = *this;
    const double t = static_cast<double>(step);
    now.alpha = static_cast<float>(learning_rate * std::sqrt(1.0 - std::pow(beta_2, t)) /
                                   (1.0 - std::pow(beta_1, t)));
    return now;
  }
  TIMBRE_ELEMENTWISE void operator()(float& p, float g, float& m, float& v) const {
    m += (g - m) * keep_1;
    v += (g * g - v) * keep_2;
    p -= alpha * m / (std::sqrt(v) + epsilon);
  }
};
/// Of anything with betas and an epsilon.
inline AdamRule adam_rule(const auto& o) {
  return {o.beta_1, o.beta_2, float(1.0 - o.beta_1), float(1.0 - o.beta_2), float(o.epsilon)};
}
inline AdamRule rule_of(const AdamOptions& options) { return adam_rule(options); }

}  // namespace timbre::training
