// Optimizers that are a rule (optimizer_rules.hpp), on the CPU. Such an optimizer is its options with their rule, and the
// loop over a stretch for each rule:
//
//   struct Loops {
//     TIMBRE_LOOP(SgdRule)
//     TIMBRE_LOOP(MomentumRule, a[i])
//   };
//   const RuleRegistration<SgdOptions, Loops> sgd{"stochastic gradient descent with momentum"};
#pragma once

#include <utility>

#include "core/simd.hpp"
#include "training/optimizer.hpp"
#include "training/optimizer_rules.hpp"

/// The loop over n elements of the parameters p, the gradients g and the slots a and b, with penalties; behind the rule
/// stand the slots that it has.
#define TIMBRE_LOOP(Rule, ...)                                                                            \
  TIMBRE_SIMD static void run(std::int64_t n, float* __restrict p, const float* __restrict g,             \
                              [[maybe_unused]] float* __restrict a, [[maybe_unused]] float* __restrict b, \
                              float l1, float twice_l2, Rule rule) {                                      \
    for (std::int64_t i = 0; i < n; ++i)                                                                  \
      rule(p[i], penalised(g[i], p[i], l1, twice_l2) __VA_OPT__(, ) __VA_ARGS__);                         \
  }

namespace timbre::training {

template <class Options, class Loops>
class RuleOptimizer final : public config::WithOptions<Optimizer, Options> {
 public:
  using config::WithOptions<Optimizer, Options>::WithOptions;
  double learning_rate() const override { return this->options_.learning_rate; }
  int slots() const override {
    return with_rule(this->options_, []<class Rule>(const Rule&) { return Rule::slots; });
  }
  double weight_decay([[maybe_unused]] const nn::ParameterSpec& parameter) const override {
    if constexpr (requires { this->options_.decay_of(parameter.name); })
      return this->options_.decay_of(parameter.name);
    else
      return 0;
  }
  void update(const Update& u) const override {
    with_rule(this->options_, [&](const auto& rule) {
      Loops::run(u.count, u.parameters, u.gradients, u.slots[0], u.slots[1], float(u.penalty.l1),
                 float(2 * u.penalty.l2),
                 for_parameter(rule.at_step(u.learning_rate, u.step), u.weight_decay));
    });
  }
};

template <class Options, class Loops>
using RuleRegistration = config::PartRegistration<Optimizer, RuleOptimizer<Options, Loops>, Options>;

}  // namespace timbre::training
