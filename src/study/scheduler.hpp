// Runs of a study, several side by side, each with threads of its own; what is finished is never done again.
//
// Runs are taken in the study's order; on a GPU, one that has no room in its memory lets smaller ones pass. Features are found or extracted once, before the first run, and shared. The folder must
// hold what was made from the data as they are now, or the study is refused (RequestError). Several processes on several machines
// may share the folder: a run that another one works on is left to it, and is taken up if that one dies. A run that fails ends
// alone, and its reason is kept in its folder (`failed`) until it is tried again. A signal ends all of them after a checkpoint
// (Interrupted), and the same command goes on from there. A run gives the same result whatever runs beside it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "study/study.hpp"
#include "study/view.hpp"

namespace timbre::study {

struct ScheduleOptions {
  std::filesystem::path folder;               // of the study; runs are in folder/runs
  std::filesystem::path runs = "runs";        // where the feature store is
  int jobs = 0;                               // 0: the study's, else one per core
  int threads = 0;                            // of each run; 0: the cores shared among the jobs
  std::vector<std::string> devices;           // of one kind, each with `jobs` runs; empty: each run's own
  std::size_t task = 0, tasks = 1;            // does every tasks-th run, beginning with number `task`
  std::optional<std::set<std::size_t>> only;  // does these alone
  double checkpoint_seconds = 60;
  std::optional<std::int64_t> feature_bytes;
};

enum class RunState { absent, interrupted, failed, finished };

/// What the folder of a run says of it.
RunState run_state(const std::filesystem::path& folder);
/// "finished", "failed", ...
std::string state_text(RunState state);

std::filesystem::path run_folder(const ScheduleOptions& options, const StudyRun& run);
/// Why it failed, where it did.
std::string failure_of(const std::filesystem::path& folder);

/// Whether a run belongs to the task.
inline bool is_of_task(const ScheduleOptions& options, std::size_t run) {
  return run % options.tasks == options.task && (!options.only || options.only->contains(run));
}

/// What is there to be told of runs that were done.
struct Schedule {
  std::map<std::size_t, std::string> failed;  // the number of each run, and why
  std::size_t diverged = 0;                   // of those done now
  std::size_t left = 0;                       // to other processes
};

/// A run whose test part is to be scored, and why.
struct ToScore {
  std::size_t run;
  std::string why;
};
/// Scores the test parts of what a study has chosen, one after the other. What was scored before stays as it is, so that the
/// same command goes on where it was killed. Throws Interrupted.
void score_chosen(const Study& study, const std::vector<ToScore>& chosen, const ScheduleOptions& options,
                  run::Watcher& watcher);

/// Finds the features of all runs that are not finished, or extracts them, and does no run.
void extract_features(const Study& study, const ScheduleOptions& options, run::Watcher& watcher);

/// Does what of the task is not finished. Throws Interrupted where a signal asked to stop, Error where not even the
/// features could be had. `watcher` hears of the study, `view` of its runs.
Schedule run_all(const Study& study, const ScheduleOptions& options, run::Watcher& watcher, View& view);

}  // namespace timbre::study
