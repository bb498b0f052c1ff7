// Which device each run of a study goes to, and how many bytes of its memory it needs.
//
// Where the command names several GPUs, jobs take them in turn and any run may go to any of them; else each run goes to its
// own configuration's.
// Errors: those of device::choose.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "study/admission.hpp"
#include "study/scheduler.hpp"

namespace timbre::study {

/// By the names that the command or the runs give, what device::choose makes of them; says so, each once, before any work.
using ChosenDevices = std::map<std::string, std::string>;
ChosenDevices choose_devices(const Study& study, const std::vector<std::size_t>& runs,
                             const ScheduleOptions& options, run::Watcher& watcher);

class Places {
 public:
  /// rows: of the data of a run. Study and options outlive it.
  Places(const Study& study, const std::vector<std::size_t>& runs, const ScheduleOptions& options,
         ChosenDevices devices, const std::function<std::int64_t(std::size_t run)>& rows);
  const std::string& device(int job, std::size_t run) const;
  /// Bytes, from above; 0 on the processor.
  std::int64_t need(std::size_t run) const;
  /// With as much memory as is free now.
  Admission admission() const;

 private:
  const Study& study_;
  const ScheduleOptions& options_;
  ChosenDevices devices_;
  std::map<std::size_t, std::int64_t> needs_;  // of runs; absent: nothing
};

}  // namespace timbre::study
