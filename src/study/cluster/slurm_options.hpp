// The block `slurm:` of a study: what its jobs ask a cluster for. Flags of run_study replace its values.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "config/schema.hpp"

namespace timbre::study {

struct SlurmOptions {
  std::optional<std::string> partition, account, qos, time, mem, constraint;
  std::optional<int> gpus, cpus;
  std::vector<std::string> setup, sbatch;
  std::optional<int> at_once;
  int runs_per_task = 1;
  int grace = 120;
  int max_requeues = 3;
};
const config::Schema<SlurmOptions>& schema(config::of<SlurmOptions>);

/// Throws RequestError about the flag: what the block `slurm:` would refuse.
void check_slurm(const SlurmOptions& options);

}  // namespace timbre::study
