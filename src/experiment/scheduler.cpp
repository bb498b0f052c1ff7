#include "experiment/scheduler.hpp"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <fstream>
#include <map>
#include <mutex>
#include <set>
#include <thread>

#include "core/memory.hpp"
#include "core/text.hpp"
#include "device/device.hpp"
#include "experiment/command_line.hpp"
#include "experiment/study_view.hpp"
#include "storage/atomic_file.hpp"

namespace timbre::experiment {

namespace fs = std::filesystem;

namespace {

fs::path failure_file(const fs::path& folder) { return folder / "failed"; }

// What runs share: the features of each set, in memory as far as there is room.
using FeatureSets = std::vector<std::shared_ptr<const data::FeatureSet>>;

FeatureSets load_feature_sets(const Study& study, const std::vector<std::size_t>& pending, const ScheduleOptions& options,
                              int threads, Console& console) {
  FeatureSets sets(study.feature_sets);
  ThreadPool pool(threads);
  auto room = options.feature_bytes.value_or(available_memory() / 2);
  std::set<std::size_t> told;
  for (const auto index : pending) {
    const auto& run = study.runs[index];
    if (sets[run.features]) continue;
    const auto plan = study.plan(run);
    if (told.insert(run.data).second)
      for (const auto& note : plan.clips.notes) console.line(note);
    RunOptions load{.runs = options.runs};
    load.feature_bytes = room;
    auto set = std::make_shared<const data::FeatureSet>(load_plan_features(plan, load, pool, console));
    room -= std::int64_t(set->features.size() * sizeof(float));
    sets[run.features] = std::move(set);
  }
  return sets;
}

// A device that is not there is told before any work, and once.
void check_devices(const Study& study, const std::vector<std::size_t>& pending, Console& console) {
  std::set<std::string> seen;
  for (const auto index : pending)
    if (const auto& device = study.runs[index].config.device; seen.insert(device).second)
      if (const auto notice = device::choose(device).notice; !notice.empty()) console.line(notice);
}

void keep_failure(const fs::path& folder, const std::string& message) {
  try {
    storage::write_file(failure_file(folder), message + "\n");
    Console(folder / "run.log", true).line("failed: " + message);
  } catch (const std::exception&) {
    // The folder cannot be written: that is most likely what failed, and it has been told.
  }
}

class Schedule {
 public:
  Schedule(const Study& study, const ScheduleOptions& options, std::vector<std::size_t> pending, int jobs, int threads, FeatureSets features,
           Console& console)
      : study_(study), options_(options), pending_(std::move(pending)), threads_(threads), features_(std::move(features)),
        view_(console, study, pending_, jobs), working_(jobs) {}

  std::map<std::size_t, std::string> work() {
    std::vector<std::jthread> jobs;
    for (int job = 0, all = working_; job < all; ++job) jobs.emplace_back([this, job] { take_runs(job); });
    std::unique_lock lock(mutex_);
    while (working_ > 0) {
      lock.unlock();
      view_.draw();
      lock.lock();
      ended_.wait_for(lock, std::chrono::milliseconds(200), [&] { return working_ == 0; });
    }
    return failures_;
  }

 private:
  void take_runs(int job) {
    for (std::size_t i; !stop_ && stop_signal() == 0 && (i = next_++) < pending_.size();) run(job, pending_[i]);
    const std::lock_guard lock(mutex_);
    --working_;
    ended_.notify_one();
  }

  void run(int job, std::size_t index) {
    const auto& run = study_.runs[index];
    const auto folder = run_folder(options_, run);
    view_.begin(job, index);
    const auto failed = [&](const std::string& message) {
      keep_failure(folder, message);
      view_.fail(job, message, folder / "run.log");
      {
        const std::lock_guard lock(mutex_);
        failures_[index] = message;
      }
      if (study_.stop_on_error) stop_ = true;
    };
    try {
      std::error_code none;
      fs::remove(failure_file(folder), none);
      RunOptions options{.folder = folder, .runs = options_.runs, .threads = threads_, .checkpoint_seconds = options_.checkpoint_seconds};
      options.quiet = true;
      options.features = features_[run.features];
      options.on_epoch = [&](std::int64_t epoch, std::int64_t epochs, const training::History& h) {
        view_.epoch(job, epoch, epochs, h.val_accuracy.back());
      };
      const auto outcome = execute(study_.plan(run), options);
      view_.end(job, outcome);
      if (outcome.diverged && study_.stop_on_error) stop_ = true;
    } catch (const Interrupted&) {
      view_.leave(job);
    } catch (const std::bad_alloc&) {
      failed("out of memory");
    } catch (const std::exception& e) {
      failed(e.what());
    }
  }

  const Study& study_;
  const ScheduleOptions& options_;
  const std::vector<std::size_t> pending_;
  const int threads_;
  const FeatureSets features_;
  StudyView view_;
  std::atomic<std::size_t> next_{0};
  std::atomic<bool> stop_{false};
  std::mutex mutex_;
  std::condition_variable ended_;
  int working_;
  std::map<std::size_t, std::string> failures_;
};

}  // namespace

RunState run_state(const fs::path& folder) {
  std::error_code none;
  if (fs::exists(folder / "checkpoint.h5", none)) return RunState::interrupted;
  if (fs::exists(folder / "result.h5", none)) return RunState::finished;
  if (fs::exists(failure_file(folder), none)) return RunState::failed;
  return RunState::absent;
}

std::string state_text(RunState state) {
  switch (state) {
    case RunState::absent: return "-";
    case RunState::interrupted: return "interrupted";
    case RunState::failed: return "failed";
    case RunState::finished: break;
  }
  return "finished";
}

fs::path run_folder(const ScheduleOptions& options, const StudyRun& run) { return options.folder / "runs" / run.folder; }

std::string failure_of(const fs::path& folder) {
  std::ifstream in(failure_file(folder));
  std::string line;
  return std::getline(in, line) ? line : "";
}

std::map<std::size_t, std::string> run_all(const Study& study, const ScheduleOptions& options, Console& console) {
  std::vector<std::size_t> pending;
  for (std::size_t i = 0; i < study.runs.size(); ++i)
    if (is_of_task(options, i) && run_state(run_folder(options, study.runs[i])) != RunState::finished) pending.push_back(i);
  if (pending.empty()) return {};
  check_devices(study, pending, console);
  const int cores = available_cores();
  const int wanted = options.jobs > 0 ? options.jobs : study.jobs.value_or(cores);
  const int jobs = int(std::min<std::size_t>(std::size_t(wanted), pending.size()));
  const int threads = options.threads > 0 ? options.threads : std::max(1, cores / jobs);
  auto features = load_feature_sets(study, pending, options, std::max(cores, jobs * threads), console);
  console.line(fmt::format("{} of {} runs to do, {} at a time with {} thread{} each", pending.size(), study.runs.size(), jobs, threads,
                           threads == 1 ? "" : "s"));
  auto failures = Schedule(study, options, std::move(pending), jobs, threads, std::move(features), console).work();
  if (stop_signal() != 0) console.line("stopped; the same command goes on from here");
  throw_if_stopped();
  return failures;
}

}  // namespace timbre::experiment
