// --device check: the first steps of a configuration on the CPU and on the accelerator, side by side.
#pragma once

#include <string>

#include "run/run.hpp"
#include "training/device_check.hpp"

namespace timbre::run {

struct DeviceComparison {
  std::string device;
  training::CheckReport report;
  std::size_t steps = 0;  // that were compared

  /// Throws Error where a layer differs by more than its tolerance: it names the first one.
  void require_agreement() const;
};

/// Throws Error where the accelerator cannot be used.
DeviceComparison compare_devices(const Plan& plan, const RunOptions& options, Watcher& watcher,
                                 std::int64_t steps = 10);

}  // namespace timbre::run
