// What has become of each run of a study, from the small files of their folders alone: no result is opened.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "run/status.hpp"
#include "study/scheduler.hpp"

namespace timbre::study {

struct RunOverview {
  std::string state;   // finished | diverged | failed | running | killed | stopped | waiting
  std::string detail;  // "on n1 since 12:00:01, epoch 12/60", "by signal USR2, 38 s before the limit"
  std::optional<run::RunStatus> status;
  std::int64_t requeues = 0;
};

RunOverview overview_of(const std::filesystem::path& run_folder, const std::filesystem::path& study_folder);

/// Of all runs, in the study's order.
std::vector<RunOverview> overview(const Study& study, const ScheduleOptions& options);

/// The last line of a run's log; "" where there is none.
std::string last_log_line(const std::filesystem::path& run_folder);

}  // namespace timbre::study
