// An optimizer's rule: the arithmetic of one element, shared by the CPU's loops and the CUDA kernels. Rules
// are beside the options of their optimizers, in optimizers/; `rule_of(options)` makes one, or a variant of them.
//
//   struct SgdRule {
//     static constexpr int slots = 0;                  float arrays beside the parameters: none, one or two
//     SgdRule at_step(double learning_rate, std::int64_t step) const;      the rule of one step; the first is 1
//     void operator()(float& p, float g) const;        p the parameter, g its gradient with the penalties; then the slots
//     SgdRule with_decay(double decay) const;          if it has decoupled weight decay: the rule for one parameter
//   };
//
// Plain C++ that nvcc compiles for the device as well.
#pragma once

#include <cstdint>
#include <type_traits>
#include <variant>

#include "core/philox.hpp"  // TIMBRE_ELEMENTWISE

namespace timbre::training {

/// The gradient with its penalties: g + l1 sign(p) + 2 l2 p, with sign(0) = 0.
TIMBRE_ELEMENTWISE inline float penalised(float g, float p, float l1, float twice_l2) {
  return g + l1 * float((p > 0.0f) - (p < 0.0f)) + twice_l2 * p;
}

/// A step's rule for the parameters that decay so much (Optimizer::weight_decay); most rules have no decay.
template <class Rule>
TIMBRE_HD Rule for_parameter(const Rule& rule, double decay) {
  if constexpr (requires { rule.with_decay(decay); })
    return rule.with_decay(decay);
  else
    return rule;
}

/// Calls f with the rule that the options of an optimizer make.
template <class Options, class F>
decltype(auto) with_rule(const Options& options, F&& f) {
  const auto rule = rule_of(options);
  if constexpr (requires { rule.index(); })
    return std::visit(f, rule);
  else
    return f(rule);
}

}  // namespace timbre::training
