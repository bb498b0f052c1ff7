#include "training/schedules/cosine.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "training/schedule.hpp"

namespace timbre::training {

const config::Schema<CosineScheduleOptions>& schema(config::of<CosineScheduleOptions>) {
  static const auto s =
      config::Schema<CosineScheduleOptions>("the rate falls along half a cosine, and may begin anew")
          .field("epochs", &CosineScheduleOptions::epochs,
                 "length of the first period. null: one period takes all of training", config::above(0.0))
          .unit("epochs")
          .field("t_mul", &CosineScheduleOptions::t_mul, "how many times as long each further period is",
                 config::between(1.0, 1000.0))
          .field("m_mul", &CosineScheduleOptions::m_mul, "how many times as high each further period begins",
                 config::between(0.0, 1000.0))
          .field("alpha", &CosineScheduleOptions::alpha,
                 "what the rate falls to, as a share of its beginning", config::between(0.0, 1.0));
  return s;
}

namespace {

class CosineSchedule final : public config::WithOptions<Schedule, CosineScheduleOptions> {
 public:
  using WithOptions::WithOptions;

  double factor(double epochs, double total, const History&) const override {
    double length = options_.epochs.value_or(total), height = 1;
    if (options_.epochs)
      for (; epochs >= length && height > 0; epochs -= length, length *= options_.t_mul)
        height *= options_.m_mul;
    const double share = std::clamp(epochs / length, 0.0, 1.0);
    return options_.alpha + (1 - options_.alpha) * height * 0.5 * (1 + std::cos(std::numbers::pi * share));
  }
};

const config::PartRegistration<Schedule, CosineSchedule, CosineScheduleOptions> cosine;

}  // namespace
}  // namespace timbre::training
