// one_cycle: the rate rises to the optimizer's, and then falls to far below where it began, each along half a cosine:
//
//   from 1 / start_divisor to 1 over the first `rise` of training, then to 1 / (start_divisor end_divisor)
// Errors: RequestError for numbers out of range.
// Source: Smith and Topin 2018; torch.optim.lr_scheduler.OneCycleLR (its last step is the end; here it is one step before).
#pragma once

#include "config/forward.hpp"

namespace timbre::training {

struct OneCycleScheduleOptions {
  static constexpr auto part = "one_cycle";
  double rise = 0.3, start_divisor = 25, end_divisor = 1e4;
};
const config::Schema<OneCycleScheduleOptions>& schema(config::of<OneCycleScheduleOptions>);

}  // namespace timbre::training
