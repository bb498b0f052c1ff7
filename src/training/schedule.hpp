// Schedules of the learning rate. The rate of a step is the optimizer's learning_rate times the schedule's factor, which
// depends on how far training has come, or on its history: a run that goes on from a checkpoint has the same rates.
#pragma once

#include "config/part.hpp"
#include "training/history.hpp"

namespace timbre::training {

class Schedule {
 public:
  static constexpr auto kind = "schedule";
  virtual ~Schedule() = default;
  virtual OptionsRef options() const = 0;
  virtual config::Node dump() const = 0;
  /// `epochs`: passed before this step, as a fraction of steps; `total`: of all that training may take. Both without a warm-up,
  /// whose epochs come before. `history`: of the epochs done, those of the warm-up too.
  virtual double factor(double epochs, double total, const History& history) const = 0;
};
using ScheduleRegistry = config::PartRegistry<Schedule>;
/// `schedule:` of a configuration.
using ScheduleChoice = config::Part<Schedule>;

}  // namespace timbre::training
