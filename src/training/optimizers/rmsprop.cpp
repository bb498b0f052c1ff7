#include "training/optimizers/rmsprop.hpp"

#include "training/rule_optimizer.hpp"

namespace timbre::training {

const config::Schema<RmspropOptions>& schema(config::of<RmspropOptions>) {
  static const auto s =
      config::Schema<RmspropOptions>("RMSprop, Keras's form")
          .field("learning_rate", &RmspropOptions::learning_rate, "step size", config::above(0.0))
          .field("rho", &RmspropOptions::rho, "decay of the mean square", config::rate())
          .field("momentum", &RmspropOptions::momentum, "share of the last step kept", config::rate())
          .field("epsilon", &RmspropOptions::epsilon, "added to the mean square", config::above(0.0));
  return s;
}

namespace {

const RuleRegistration<RmspropOptions> rmsprop{"RMSprop (Tieleman and Hinton 2012)"};

}  // namespace
}  // namespace timbre::training
