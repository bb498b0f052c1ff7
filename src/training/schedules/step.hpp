// step: the rate falls by a factor every so many epochs: factor^floor(epochs / every).
// Errors: RequestError for a number of epochs or a factor that is not positive.
// Source: torch.optim.lr_scheduler.StepLR.
#pragma once

#include "config/forward.hpp"

namespace timbre::training {

struct StepScheduleOptions {
  static constexpr auto part = "step";
  double every = 30, factor = 0.1;
};
const config::Schema<StepScheduleOptions>& schema(config::of<StepScheduleOptions>);

}  // namespace timbre::training
