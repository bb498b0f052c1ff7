#include "training/optimizers/sgd.hpp"

#include "training/rule_optimizer.hpp"

namespace timbre::training {

const config::Schema<SgdOptions>& schema(config::of<SgdOptions>) {
  static const auto s =
      config::Schema<SgdOptions>("SGD with momentum, Keras's form")
          .field("learning_rate", &SgdOptions::learning_rate, "step size", config::above(0.0))
          .field("momentum", &SgdOptions::momentum, "share of the last step kept", config::rate())
          .field("nesterov", &SgdOptions::nesterov, "look ahead along the momentum");
  return s;
}

namespace {

const RuleRegistration<SgdOptions> sgd{"stochastic gradient descent with momentum"};

}  // namespace
}  // namespace timbre::training
