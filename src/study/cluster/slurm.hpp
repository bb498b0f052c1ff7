// A study as jobs of Slurm: one that extracts its features, arrays of tasks that do its runs, one that writes the report.
//
// All that belongs to them is kept in DIR/slurm: the scripts, `tasks-N.txt` (a line for each task of the N-th array: the numbers
// of its runs, then their folders), `jobs` (the ids), `log/`. Tasks read the frozen plan (study/plan.hpp). Runs are claimed
// (storage/claim.hpp), so that a task that begins beside a living one leaves its run alone.
//
// A task that is asked to stop (TERM, USR1, USR2, HUP: before its time limit, or to make room) writes a checkpoint and ends. The
// batch script then notes srun's status in the folders of its runs and requeues itself. What caused the signal does not matter.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "study/cluster/slurm_options.hpp"
#include "study/study.hpp"

namespace timbre::study {

struct SlurmRequest {
  std::filesystem::path folder;      // of the study
  std::filesystem::path program;     // run_study
  std::vector<std::string> options;  // of the program, for every job
  SlurmOptions slurm;
  std::vector<std::size_t> runs;  // to be done
};

struct SlurmScript {
  std::string name;  // "features.sh", "runs-1.sh", "report.sh"
  std::string text;
};

struct SlurmScripts {
  std::vector<SlurmScript> all;              // in the order they are submitted
  std::map<std::string, std::string> files;  // beside them: "tasks-1.txt"
};

/// `array_size`: the cluster's MaxArraySize; indices run up to one less.
SlurmScripts make_scripts(const Study& study, const SlurmRequest& request, std::int64_t array_size);

/// MaxArraySize. Throws Error where there is no Slurm, or its controller does not answer.
std::int64_t largest_array();

/// Writes the scripts, submits them, and returns the jobs' ids with what they do. Where one is refused, those before it are
/// cancelled. Throws RequestError what the cluster refuses, in words; Error where it does not answer.
std::vector<std::string> submit(const Study& study, const SlurmRequest& request);

/// The jobs of an earlier submission that have not ended.
std::vector<std::string> living_jobs(const std::filesystem::path& folder);

/// Cancels them, and keeps their tasks from requeuing themselves; returns the ids. Throws Error where there is no Slurm.
std::vector<std::string> cancel(const std::filesystem::path& folder);

/// What srun said of a run's tasks: the last status, and how often the task was requeued.
struct SrunNote {
  int status = 0, requeues = 0;
  std::string job;
};
std::optional<SrunNote> read_srun(const std::filesystem::path& run_folder);

}  // namespace timbre::study
