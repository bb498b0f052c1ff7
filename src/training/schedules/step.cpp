#include "training/schedules/step.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "training/schedule.hpp"

namespace timbre::training {

const config::Schema<StepScheduleOptions>& schema(config::of<StepScheduleOptions>) {
  static const auto s =
      config::Schema<StepScheduleOptions>("the rate falls by a factor every so many epochs")
          .field("every", &StepScheduleOptions::every, "epochs from fall to fall", config::above(0.0))
          .unit("epochs")
          .field("factor", &StepScheduleOptions::factor, "what the rate is multiplied with at each fall",
                 config::above(0.0));
  return s;
}

namespace {

class StepSchedule final : public config::WithOptions<Schedule, StepScheduleOptions> {
 public:
  using WithOptions::WithOptions;

  double factor(double epochs, double, const History&) const override {
    return std::pow(options_.factor, std::floor(epochs / options_.every));
  }
};

const config::PartRegistration<Schedule, StepSchedule, StepScheduleOptions> step;

}  // namespace
}  // namespace timbre::training
