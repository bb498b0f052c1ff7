#include "training/optimizers/sgd.hpp"

#include "training/rule_optimizer.hpp"

namespace timbre::training {

const config::Schema<SgdOptions>& schema(config::of<SgdOptions>) {
  static const auto s =
      config::Schema<SgdOptions>("stochastic gradient descent with momentum, Keras's form")
          .field("learning_rate", &SgdOptions::learning_rate, "size of a step along the gradient",
                 config::above(0.0))
          .field("momentum", &SgdOptions::momentum, "share of the last step that is kept", config::rate())
          .field("nesterov", &SgdOptions::nesterov,
                 "whether the gradient is applied ahead, along the momentum (Nesterov)");
  return s;
}

namespace {

const RuleRegistration<SgdOptions> sgd;

}  // namespace
}  // namespace timbre::training
