#include "training/schedules/reduce_on_plateau.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "training/schedule.hpp"

namespace timbre::training {

const config::Schema<ReduceOnPlateauOptions>& schema(config::of<ReduceOnPlateauOptions>) {
  static const auto s =
      config::Schema<ReduceOnPlateauOptions>(
          "the rate falls by a factor when the watched value has not improved for `patience` epochs")
          .field("monitor", &ReduceOnPlateauOptions::monitor, "the value that is watched",
                 config::one_of({"val_loss", "val_accuracy", "loss", "accuracy"}))
          .field("factor", &ReduceOnPlateauOptions::factor, "what the rate is multiplied with",
                 config::between(0.0, 1.0))
          .field("patience", &ReduceOnPlateauOptions::patience,
                 "epochs in a row without improvement before it falls", config::at_least(std::int64_t{1}))
          .unit("epochs")
          .field("cooldown", &ReduceOnPlateauOptions::cooldown, "epochs after a fall that are not counted",
                 config::at_least(std::int64_t{0}))
          .unit("epochs")
          .field("min_delta", &ReduceOnPlateauOptions::min_delta,
                 "smallest change that counts as an improvement", config::at_least(0.0))
          .field("min_factor", &ReduceOnPlateauOptions::min_factor,
                 "the least rate, as a share of the optimizer's", config::between(0.0, 1.0));
  return s;
}

namespace {

class ReduceOnPlateau final : public config::WithOptions<Schedule, ReduceOnPlateauOptions> {
 public:
  using WithOptions::WithOptions;

  double factor(double, double, const History& history) const override {
    const bool higher = higher_is_better(options_.monitor);
    double now = 1, best = higher ? -INFINITY : INFINITY;
    std::int64_t waited = 0, cooling = 0;
    for (const double v : monitored(history, options_.monitor)) {
      if (cooling > 0) --cooling, waited = 0;
      if (higher ? v > best + options_.min_delta : v < best - options_.min_delta) {
        best = v, waited = 0;
      } else if (cooling == 0 && ++waited >= options_.patience && now > options_.min_factor) {
        now = std::max(now * options_.factor, options_.min_factor);
        cooling = options_.cooldown, waited = 0;
      }
    }
    return now;
  }
};

const config::PartRegistration<Schedule, ReduceOnPlateau, ReduceOnPlateauOptions> reduce_on_plateau;

}  // namespace
}  // namespace timbre::training
