// reduce_on_plateau: the rate falls by a factor when the watched value has not improved for `patience` epochs in a row.
//
// Improved: below the best by more than min_delta (above it, for accuracies). After a fall `cooldown` epochs are not counted.
// The rate does not fall below min_factor of the optimizer's. It follows from the history alone.
// Errors: RequestError for numbers out of range.
// Source: keras.callbacks.ReduceLROnPlateau.
#pragma once

#include <cstdint>
#include <string>

#include "config/forward.hpp"

namespace timbre::training {

struct ReduceOnPlateauOptions {
  static constexpr auto part = "reduce_on_plateau";
  std::string monitor = "val_loss";  // val_loss | val_accuracy | loss | accuracy
  double factor = 0.1;
  std::int64_t patience = 10, cooldown = 0;
  double min_delta = 1e-4, min_factor = 0;
};
const config::Schema<ReduceOnPlateauOptions>& schema(config::of<ReduceOnPlateauOptions>);

}  // namespace timbre::training
