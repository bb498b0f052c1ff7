// exponential: the rate falls evenly on a logarithmic scale: decay_rate^(epochs / decay_epochs); with staircase in whole steps of
// decay_epochs.
// Errors: RequestError for numbers that are not positive.
// Source: keras.optimizers.schedules.ExponentialDecay, whose decay_steps are decay_epochs times the steps of an epoch.
#pragma once

#include "config/forward.hpp"

namespace timbre::training {

struct ExponentialScheduleOptions {
  static constexpr auto part = "exponential";
  double decay_epochs = 10, decay_rate = 0.5;
  bool staircase = false;
};
const config::Schema<ExponentialScheduleOptions>& schema(config::of<ExponentialScheduleOptions>);

}  // namespace timbre::training
