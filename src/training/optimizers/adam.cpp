#include "training/optimizers/adam.hpp"

#include "training/optimizers/adam_fields.hpp"
#include "training/rule_optimizer.hpp"

namespace timbre::training {

const config::Schema<AdamOptions>& schema(config::of<AdamOptions>) {
  static const auto s = adam_fields<AdamOptions>("Adam, Keras's form");
  return s;
}

namespace {

const RuleRegistration<AdamOptions> adam{"Adam (Kingma and Ba 2015)"};

}  // namespace
}  // namespace timbre::training
