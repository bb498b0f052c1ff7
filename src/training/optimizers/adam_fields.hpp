// The fields that Adam and what is built on it have in a configuration.
#pragma once

#include <utility>

#include "config/schema.hpp"

namespace timbre::training {

template <class Options>
config::Schema<Options> adam_fields(std::string summary) {
  return std::move(
      config::Schema<Options>(std::move(summary))
          .field("learning_rate", &Options::learning_rate,
                 "size of a step: about what each weight moves while its gradients agree", config::above(0.0))
          .field("beta_1", &Options::beta_1,
                 "share of the past that each step keeps in the mean of the gradients", config::rate())
          .field("beta_2", &Options::beta_2,
                 "share of the past that each step keeps in the mean square of the gradients", config::rate())
          .field("epsilon", &Options::epsilon,
                 "added to the root of the mean square, so that nothing is divided by 0",
                 config::above(0.0)));
}

}  // namespace timbre::training
