#include "training/optimizers/rmsprop.hpp"

#include "training/rule_optimizer.hpp"

namespace timbre::training {

const config::Schema<RmspropOptions>& schema(config::of<RmspropOptions>) {
  static const auto s =
      config::Schema<RmspropOptions>("RMSprop (Tieleman and Hinton 2012), Keras's form")
          .field("learning_rate", &RmspropOptions::learning_rate,
                 "size of a step, before it is divided by the root mean square of the gradients",
                 config::above(0.0))
          .field("rho", &RmspropOptions::rho,
                 "share of the past that each step keeps in the mean square of the gradients", config::rate())
          .field("momentum", &RmspropOptions::momentum, "share of the last step that is kept", config::rate())
          .field("epsilon", &RmspropOptions::epsilon, "added to the mean square, inside the root",
                 config::above(0.0));
  return s;
}

namespace {

const RuleRegistration<RmspropOptions> rmsprop;

}  // namespace
}  // namespace timbre::training
