// AdamW (Loshchilov and Hutter 2019) in Keras's form: a parameter first decays, then Adam moves it.
//
//   p -= p weight_decay lr;  then adam.hpp      the decay is neither in the gradient nor in the loss
//
// `exclude` names parameters that do not decay, whole: kernel leaves recurrent_kernel alone (Keras searches its pattern).
// Errors: as adam.hpp, and RequestError for a weight_decay below 0 or a name that no layer's parameter has.
// Source: keras/src/optimizers/adamw.py and base_optimizer.py.
#pragma once

#include <algorithm>

#include "nn/options.hpp"
#include "training/optimizers/adam.hpp"

namespace timbre::training {

struct AdamwOptions {
  static constexpr auto part = "adamw";
  double learning_rate = 1e-3, beta_1 = 0.9, beta_2 = 0.999, epsilon = 1e-7, weight_decay = 4e-3;
  std::vector<nn::ParameterName> exclude;
  double decay_of(const std::string& parameter) const {
    return std::ranges::count(exclude, parameter, &nn::ParameterName::name) > 0 ? 0 : weight_decay;
  }
};
const config::Schema<AdamwOptions>& schema(config::of<AdamwOptions>);

struct AdamwRule : AdamRule {
  float rate = 0, decay = 0;
  TIMBRE_HD AdamwRule at_step(double learning_rate, std::int64_t step) const {
    return {AdamRule::at_step(learning_rate, step), static_cast<float>(learning_rate)};
  }
  TIMBRE_HD AdamwRule with_decay(double d) const { return {*this, rate, static_cast<float>(d)}; }
  TIMBRE_ELEMENTWISE void operator()(float& p, float g, float& m, float& v) const {
    p -= p * decay * rate;
    AdamRule::operator()(p, g, m, v);
  }
};
inline AdamwRule rule_of(const AdamwOptions& options) { return {adam_rule(options)}; }

}  // namespace timbre::training
