#include "training/optimizers/nadam.hpp"

#include "training/optimizers/adam_fields.hpp"
#include "training/rule_optimizer.hpp"

namespace timbre::training {

const config::Schema<NadamOptions>& schema(config::of<NadamOptions>) {
  static const auto s =
      adam_fields<NadamOptions>("Nadam (Dozat 2016), Keras's form: Adam with Nesterov's momentum");
  return s;
}

static const RuleRegistration<NadamOptions> nadam;

}  // namespace timbre::training
