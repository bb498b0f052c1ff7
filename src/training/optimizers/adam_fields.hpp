// The fields that Adam and what is built on it have in a configuration.
#pragma once

#include <utility>

#include "config/schema.hpp"

namespace timbre::training {

template <class Options>
config::Schema<Options> adam_fields(std::string summary) {
  return std::move(
      config::Schema<Options>(std::move(summary))
          .field("learning_rate", &Options::learning_rate, "step size", config::above(0.0))
          .field("beta_1", &Options::beta_1, "decay of the first moment", config::rate())
          .field("beta_2", &Options::beta_2, "decay of the second moment", config::rate())
          .field("epsilon", &Options::epsilon, "added to the root of the second moment", config::above(0.0)));
}

}  // namespace timbre::training
