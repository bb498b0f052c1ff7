#include "training/optimizers/adamw.hpp"

#include "training/optimizers/adam_fields.hpp"
#include "training/rule_optimizer.hpp"

namespace timbre::training {

const config::Schema<AdamwOptions>& schema(config::of<AdamwOptions>) {
  static const auto s =
      adam_fields<AdamwOptions>(
          "AdamW (Loshchilov and Hutter 2019), Keras's form: Adam, and weights that decay by themselves")
          .field("weight_decay", &AdamwOptions::weight_decay,
                 "share of a weight that it loses in each step, before it is multiplied by learning_rate",
                 config::at_least(0.0))
          .field("exclude", &AdamwOptions::exclude, "parameters that do not decay, as [bias, gamma, beta]");
  return s;
}

static const RuleRegistration<AdamwOptions> adamw;

}  // namespace timbre::training
