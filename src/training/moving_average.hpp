// The exponential moving average of the weights, as Keras's use_ema.
//
//   after step t:  average = m average + (1 - m) p,  m = momentum, and 0 in the first step
//   every overwrite_frequency steps:  p = average
//
// The average is of what is trained; moving statistics are taken as they are. Training goes on with p; validation, early
// stopping and the weights that a run keeps use the average (in Keras: its callback SwapEMAWeights at each epoch's end). The
// average is part of a checkpoint.
// The header is plain C++ that nvcc compiles for the device as well.
// Errors: RequestError for a momentum outside [0, 1), and a frequency below 1.
// Source: keras/src/optimizers/base_optimizer.py (use_ema, ema_momentum, ema_overwrite_frequency).
#pragma once

#include <cstdint>
#include <optional>

#include "config/forward.hpp"
#include "core/philox.hpp"  // TIMBRE_ELEMENTWISE

namespace timbre::training {

/// `training.ema:` of a configuration.
struct MovingAverageOptions {
  double momentum = 0.99;
  std::optional<std::int64_t> overwrite_frequency;
};
const config::Schema<MovingAverageOptions>& schema(config::of<MovingAverageOptions>);

struct MovingAverage {
  float momentum, rest;             // rest: 1 - momentum
  std::int64_t frequency;           // 0: never
  bool first = false, now = false;  // of this step: it is the first; the average overwrites
  static MovingAverage of(const MovingAverageOptions& o) {
    return {float(o.momentum), float(1 - o.momentum), o.overwrite_frequency.value_or(0)};
  }
  /// The average of one step; the first is 1.
  TIMBRE_HD MovingAverage at_step(std::int64_t step) const {
    return {momentum, rest, frequency, step == 1, frequency > 0 && step % frequency == 0};
  }
  TIMBRE_ELEMENTWISE void operator()(float& average, float& p) const {
    average = first ? p : momentum * average + rest * p;
    if (now) p = average;
  }
};

}  // namespace timbre::training
