// The flags of run_study about a cluster: --slurm, what its jobs ask for, --status, --cancel.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "study/cluster/slurm_options.hpp"
#include "study/scheduler.hpp"

namespace CLI {
class App;
}

namespace timbre::cli {

class SlurmFlags {
 public:
  explicit SlurmFlags(CLI::App& app);
  /// Whether --slurm was given.
  bool asked() const { return !mode_.empty(); }
  /// --slurm=print
  bool print() const { return mode_ == "print"; }
  /// The study's block with the flags over it. Throws RequestError.
  study::SlurmOptions over(const std::optional<study::SlurmOptions>& block) const;

 private:
  std::string mode_;
  std::optional<std::string> partition_, account_, qos_, time_, mem_, constraint_;
  std::optional<int> gpus_, cpus_, at_once_, runs_per_task_, grace_, max_requeues_;
  std::vector<std::string> setup_, sbatch_;
};

/// --slurm: submits what is not finished, or prints the scripts. `passed`: options for the program in every job. With `failed`
/// those runs alone that failed; without it they are left, and told. The exit status.
int submit_study(const study::Study& study, const study::ScheduleOptions& options, const SlurmFlags& flags,
                 bool failed, std::vector<std::string> passed);

/// --status: the exit status.
int show_status(const study::Study& study, const study::ScheduleOptions& options);

/// --cancel: the exit status.
int cancel_study(const study::ScheduleOptions& options);

}  // namespace timbre::cli
