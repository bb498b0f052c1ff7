#include "training/optimizers/adam.hpp"

#include "training/optimizers/adam_fields.hpp"
#include "training/rule_optimizer.hpp"

namespace timbre::training {

const config::Schema<AdamOptions>& schema(config::of<AdamOptions>) {
  static const auto s = adam_fields<AdamOptions>("Adam (Kingma and Ba 2015), Keras's form");
  return s;
}

namespace {

const RuleRegistration<AdamOptions> adam;

}  // namespace
}  // namespace timbre::training
