#include "training/moving_average.hpp"

#include "config/schema.hpp"

namespace timbre::training {

const config::Schema<MovingAverageOptions>& schema(config::of<MovingAverageOptions>) {
  static const auto s =
      config::Schema<MovingAverageOptions>(
          "validation and the weights that are kept use an exponential moving average of the weights")
          .field("momentum", &MovingAverageOptions::momentum,
                 "share of the average that each step keeps, Keras's ema_momentum", config::rate())
          .field(
              "overwrite_frequency", &MovingAverageOptions::overwrite_frequency,
              "every so many steps training goes on from the average, Keras's ema_overwrite_frequency. null: "
              "never",
              config::at_least(std::int64_t{1}))
          .unit("steps");
  return s;
}

}  // namespace timbre::training
