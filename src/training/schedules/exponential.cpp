#include "training/schedules/exponential.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "training/schedule.hpp"

namespace timbre::training {

const config::Schema<ExponentialScheduleOptions>& schema(config::of<ExponentialScheduleOptions>) {
  static const auto s =
      config::Schema<ExponentialScheduleOptions>("the rate falls by the same share in each epoch")
          .field("decay_epochs", &ExponentialScheduleOptions::decay_epochs,
                 "epochs in which it falls by decay_rate", config::above(0.0))
          .unit("epochs")
          .field("decay_rate", &ExponentialScheduleOptions::decay_rate,
                 "what it is multiplied with in decay_epochs", config::above(0.0))
          .field("staircase", &ExponentialScheduleOptions::staircase,
                 "whether it falls once every decay_epochs");
  return s;
}

namespace {

class ExponentialSchedule final : public config::WithOptions<Schedule, ExponentialScheduleOptions> {
 public:
  using WithOptions::WithOptions;

  double factor(double epochs, double, const History&) const override {
    const double falls = epochs / options_.decay_epochs;
    return std::pow(options_.decay_rate, options_.staircase ? std::floor(falls) : falls);
  }
};

const config::PartRegistration<Schedule, ExponentialSchedule, ExponentialScheduleOptions> exponential;

}  // namespace
}  // namespace timbre::training
