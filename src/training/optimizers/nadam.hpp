// Nadam (Dozat 2016): Adam with Nesterov's momentum, in Keras's form.
//
//   u_t = b1 (1 - 0.96^t / 2);  U_t = u_1 u_2 ... u_t;  m and v as Adam's
//   m_hat = u_{t+1} m / (1 - U_t u_{t+1}) + (1 - u_t) g / (1 - U_t);  v_hat = v / (1 - b2^t)
//   p -= lr m_hat / (sqrt(v_hat) + eps)
//
// Errors: as adam.hpp.
// Source: keras/src/optimizers/nadam.py.
#pragma once

#include "training/optimizers/adam.hpp"

namespace timbre::training {

struct NadamOptions {
  static constexpr auto part = "nadam";
  double learning_rate = 1e-3, beta_1 = 0.9, beta_2 = 0.999, epsilon = 1e-7;
};
const config::Schema<NadamOptions>& schema(config::of<NadamOptions>);

struct NadamRule {
  static constexpr int slots = 2;
  double beta_1, beta_2;
  float keep_1, keep_2, epsilon;                       // keep: 1 - beta
  float of_moment = 0, of_gradient = 0, variance = 0;  // factors of this step: lr's share of m and g; of v
  TIMBRE_HD NadamRule at_step(double learning_rate, std::int64_t step) const {
    NadamRule now = *this;
    // The product of all u so far; below 1e-18 it is nothing beside 1.
    double product = 1, power = 1;
    for (std::int64_t t = 1; t <= step && product > 1e-18; ++t)
      power *= 0.96, product *= beta_1 * (1 - 0.5 * power);
    const double t = static_cast<double>(step), u = beta_1 * (1 - 0.5 * std::pow(0.96, t)),
                 next = beta_1 * (1 - 0.5 * std::pow(0.96, t + 1));
    now.of_moment = static_cast<float>(learning_rate * next / (1 - product * next));
    now.of_gradient = static_cast<float>(learning_rate * (1 - u) / (1 - product));
    now.variance = static_cast<float>(1 / (1 - std::pow(beta_2, t)));
    return now;
  }
  TIMBRE_ELEMENTWISE void operator()(float& p, float g, float& m, float& v) const {
    m += (g - m) * keep_1;
    v += (g * g - v) * keep_2;
    p -= (of_moment * m + of_gradient * g) / (std::sqrt(v * variance) + epsilon);
  }
};
inline NadamRule rule_of(const NadamOptions& o) {
  return {o.beta_1, o.beta_2, float(1.0 - o.beta_1), float(1.0 - o.beta_2), float(o.epsilon)};
}

}  // namespace timbre::training
