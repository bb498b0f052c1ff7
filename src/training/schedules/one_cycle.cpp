#include "training/schedules/one_cycle.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "training/schedule.hpp"

namespace timbre::training {

const config::Schema<OneCycleScheduleOptions>& schema(config::of<OneCycleScheduleOptions>) {
  static const auto s = config::Schema<OneCycleScheduleOptions>(
                            "the rate rises to learning_rate, then falls to far below its beginning")
                            .field("rise", &OneCycleScheduleOptions::rise,
                                   "share of training in which it rises", config::between(0.001, 0.999))
                            .field("start_divisor", &OneCycleScheduleOptions::start_divisor,
                                   "learning_rate over the rate at the beginning", config::at_least(1.0))
                            .field("end_divisor", &OneCycleScheduleOptions::end_divisor,
                                   "the rate at the beginning over that at the end", config::at_least(1.0));
  return s;
}

namespace {

class OneCycleSchedule final : public config::WithOptions<Schedule, OneCycleScheduleOptions> {
 public:
  using WithOptions::WithOptions;

  double factor(double epochs, double total, const History&) const override {
    const double share = std::clamp(epochs / total, 0.0, 1.0), low = 1 / options_.start_divisor,
                 last = low / options_.end_divisor;
    const auto between = [](double from, double to, double f) {
      return to + (from - to) * 0.5 * (1 + std::cos(std::numbers::pi * f));
    };
    return share < options_.rise ? between(low, 1, share / options_.rise)
                                 : between(1, last, (share - options_.rise) / (1 - options_.rise));
  }
};

const config::PartRegistration<Schedule, OneCycleSchedule, OneCycleScheduleOptions> one_cycle;

}  // namespace
}  // namespace timbre::training
