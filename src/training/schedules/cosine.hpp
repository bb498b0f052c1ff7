// cosine: the rate falls along half a cosine, and may begin anew ("warm restarts"):
//
//   a period of E epochs:  alpha + (1 - alpha) m (1 + cos(pi f)) / 2,  f = share of the period that is over
//   the next period has t_mul E epochs, and m m_mul; m = 1 at first
// Without `epochs` one period takes all of training, and the rate stays at alpha after it.
// Errors: RequestError for numbers out of range.
// Source: Loshchilov and Hutter 2017; keras.optimizers.schedules.CosineDecayRestarts (CosineDecay without restarts).
#pragma once

#include <optional>

#include "config/forward.hpp"

namespace timbre::training {

struct CosineScheduleOptions {
  static constexpr auto part = "cosine";
  std::optional<double> epochs;
  double t_mul = 2, m_mul = 1, alpha = 0;
};
const config::Schema<CosineScheduleOptions>& schema(config::of<CosineScheduleOptions>);

}  // namespace timbre::training
