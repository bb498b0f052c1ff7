// Early stopping, Keras's EarlyStopping: training ends when the monitored value has not improved by more than
// min_delta for `patience` epochs in a row; restore_best gives the weights of the best epoch back.
#pragma once

#include <cstdint>
#include <string>

#include "config/schema.hpp"

namespace timbre::training {

struct EarlyStoppingOptions {
  std::string monitor = "val_loss";  // a column of the history
  std::int64_t patience = 20;
  double min_delta = 0;
  bool restore_best = true;
};
const config::Schema<EarlyStoppingOptions>& schema(config::of<EarlyStoppingOptions>);

/// Watches one value from epoch to epoch.
class EarlyStopping {
 public:
  EarlyStopping(bool higher_is_better, double min_delta, std::int64_t patience)
      : higher_(higher_is_better), min_delta_(min_delta), patience_(patience) {}

  /// The value after an epoch; true if it is the best so far (a NaN never is).
  bool observe(std::int64_t epoch, double value) {
    const bool better = best_epoch_ == 0 ? value == value
                        : higher_        ? value > best_ + min_delta_
                                         : value < best_ - min_delta_;
    if (better)
      best_ = value, best_epoch_ = epoch, waited_ = 0;
    else
      ++waited_;
    return better;
  }
  bool should_stop() const { return waited_ >= patience_; }
  /// Epoch (from 1) of the best value; 0 before any.
  std::int64_t best_epoch() const { return best_epoch_; }
  double best() const { return best_; }
  std::int64_t waited() const { return waited_; }
  void restore(std::int64_t best_epoch, double best, std::int64_t waited) {
    best_epoch_ = best_epoch, best_ = best, waited_ = waited;
  }

 private:
  bool higher_;
  double min_delta_, best_ = 0;
  std::int64_t patience_, best_epoch_ = 0, waited_ = 0;
};

}  // namespace timbre::training
