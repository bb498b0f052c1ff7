#include "training/optimizers/adamw.hpp"

#include "training/optimizers/adam_fields.hpp"
#include "training/rule_optimizer.hpp"

namespace timbre::training {

const config::Schema<AdamwOptions>& schema(config::of<AdamwOptions>) {
  static const auto s =
      adam_fields<AdamwOptions>("AdamW, Keras's form")
          .field("weight_decay", &AdamwOptions::weight_decay, "loss per step, times learning_rate",
                 config::at_least(0.0))
          .field("exclude", &AdamwOptions::exclude, "names of parameters that do not decay");
  return s;
}

static const RuleRegistration<AdamwOptions> adamw{"AdamW (Loshchilov and Hutter 2019)"};

}  // namespace timbre::training
