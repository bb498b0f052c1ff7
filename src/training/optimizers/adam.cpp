#include "training/optimizers/adam.hpp"

#include "training/rule_optimizer.hpp"

namespace timbre::training {

const config::Schema<AdamOptions>& schema(config::of<AdamOptions>) {
  static const auto s =
      config::Schema<AdamOptions>("Adam, Keras's form")
          .field("learning_rate", &AdamOptions::learning_rate, "step size", config::above(0.0))
          .field("beta_1", &AdamOptions::beta_1, "decay of the first moment", config::rate())
          .field("beta_2", &AdamOptions::beta_2, "decay of the second moment", config::rate())
          .field("epsilon", &AdamOptions::epsilon, "added to the root of the second moment",
                 config::above(0.0));
  return s;
}

namespace {

struct Loops {
  TIMBRE_SIMD static void run(TIMBRE_STRETCH, AdamRule rule) {
    for (std::int64_t i = 0; i < n; ++i) rule(p[i], penalised(g[i], p[i], l1, twice_l2), a[i], b[i]);
  }
};

const RuleRegistration<AdamOptions, Loops> adam{"Adam (Kingma and Ba 2015)"};

}  // namespace
}  // namespace timbre::training
