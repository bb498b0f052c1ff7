// Optimizers that are a rule (optimizer_rules.hpp), on the CPU. Such an optimizer is its options with their rule:
//
//   const RuleRegistration<SgdOptions> sgd;
#pragma once

#include <utility>

#include "core/simd.hpp"
#include "training/optimizer.hpp"
#include "training/optimizer_rules.hpp"

namespace timbre::training {

template <class Options>
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
    with_rule(this->options_, [&](const auto& any_step) {
      const auto rule = for_parameter(any_step.at_step(u.learning_rate, u.step), u.weight_decay);
      vectorised([&] {
        move(rule, u.count, u.parameters, u.gradients, u.slots[0], u.slots[1], float(u.penalty.l1),
             float(2 * u.penalty.l2));
      });
    });
  }

 private:
  /// The loop. (Its arrays are parameters, since only of those does the compiler believe that they do not overlap.)
  template <class Rule>
  static inline __attribute__((always_inline)) void move(const Rule rule, std::int64_t n, float* __restrict p,
                                                         const float* __restrict gradients,
                                                         [[maybe_unused]] float* __restrict a,
                                                         [[maybe_unused]] float* __restrict b, float l1,
                                                         float twice_l2) {
    for (std::int64_t i = 0; i < n; ++i) {
      const float g = penalised(gradients[i], p[i], l1, twice_l2);
      if constexpr (Rule::slots == 0) rule(p[i], g);
      if constexpr (Rule::slots == 1) rule(p[i], g, a[i]);
      if constexpr (Rule::slots == 2) rule(p[i], g, a[i], b[i]);
    }
  }
};

template <class Options>
using RuleRegistration = config::PartRegistration<Optimizer, RuleOptimizer<Options>, Options>;

}  // namespace timbre::training
