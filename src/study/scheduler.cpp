#include "study/scheduler.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <set>
#include <thread>

#include "core/interrupt.hpp"
#include "core/memory.hpp"
#include "core/text.hpp"
#include "results/run_record.hpp"
#include "run/log.hpp"
#include "run/scoring.hpp"
#include "storage/atomic_file.hpp"
#include "storage/claim.hpp"
#include "storage/door.hpp"
#include "study/places.hpp"

namespace timbre::study {

namespace fs = std::filesystem;

namespace {

fs::path failure_file(const fs::path& folder) { return folder / "failed"; }

// What runs share: the features of each set, in memory as far as there is room.
using FeatureSets = std::vector<std::shared_ptr<const data::FeatureSet>>;

/// Of every run that is to be done or was begun; those of runs that are finished stay on disk.
FeatureSets load_feature_sets(const Study& study, const std::vector<std::size_t>& pending,
                              const std::vector<std::size_t>& begun, const ScheduleOptions& options,
                              int threads, run::Watcher& watcher) {
  FeatureSets sets(study.feature_sets);
  ThreadPool pool(threads);
  auto room = options.feature_bytes.value_or(available_memory() / 2);
  std::set<std::size_t> told;
  const auto load = [&](std::size_t index, std::int64_t bytes) {
    const auto& run = study.runs[index];
    if (sets[run.features]) return;
    const auto plan = study.plan(run);
    run::Watcher nobody;
    const bool speak = bytes > 0 && told.insert(run.data).second;
    if (speak)
      for (const auto& note : plan.clips.notes) watcher.line(note);
    run::RunOptions wanted{.runs = options.runs};
    wanted.feature_bytes = bytes;
    auto set = std::make_shared<const data::FeatureSet>(
        run::load_plan_features(plan, wanted, pool, bytes > 0 ? watcher : nobody));
    if (speak)
      for (const auto& bad : set->bad_files)
        watcher.line(fmt::format("skipped: {}: {}", printable(bad.path), bad.reason));
    room -= std::int64_t(set->features.size() * sizeof(float));
    sets[run.features] = std::move(set);
  };
  for (const auto index : pending) load(index, std::max<std::int64_t>(room, 1));
  for (const auto index : begun) load(index, 0);
  return sets;
}

/// A folder of the study may hold runs on other data, or of another version: the study neither mixes nor removes them.
void check_keys(const Study& study, const ScheduleOptions& options, const std::vector<std::size_t>& begun,
                const FeatureSets& sets) {
  for (const auto index : begun) {
    const auto& run = study.runs[index];
    const auto folder = run_folder(options, run);
    if (run::folder_key(folder) != run::run_key(study.plan(run), *sets[run.features]))
      fail_request("{}: was made from other data than there are now; name another --out, or remove it",
                   printable(folder.string()));
  }
}

/// Whether a finished run's result can be read. Its checksum tells; only one without it (of an earlier version) is read,
/// so that the report is the one reader of the others.
bool is_readable(const fs::path& folder) {
  const auto result = folder / "result.h5";
  try {
    if (storage::is_trusted(result, storage::own_file)) return true;
    return !results::read_result(result, false, storage::own_file).label_names.empty();
  } catch (const RequestError&) {
    return results::is_result_file(result, storage::own_file);  // of a newer version: left as it is
  } catch (const Error&) {
    return false;
  }
}

void keep_failure(const fs::path& folder, const std::string& message) {
  try {
    storage::write_file(failure_file(folder), message + "\n", storage::Links::replace);
    run::Watcher nobody;
    run::Log(folder / "run.log", nobody).line("failed: " + message);
  } catch (const std::exception&) {
    // The folder cannot be written: that is most likely what failed, and it has been told.
  }
}

/// One run of several, which says no lines of its own: those stand in its log.
class RunWatcher : public run::Watcher {
 public:
  RunWatcher(View& view, int job) : view_(view), job_(job) {}
  void epoch(const run::EpochDone& done) override {
    view_.epoch(job_, done.epoch, done.epochs, done.history.val_accuracy.back());
  }

 private:
  View& view_;
  int job_;
};

class Jobs {
 public:
  Jobs(const Study& study, const ScheduleOptions& options, const std::vector<std::size_t>& pending, int jobs,
       int threads, FeatureSets features, Places places, View& view)
      : study_(study),
        options_(options),
        threads_(threads),
        features_(std::move(features)),
        places_(std::move(places)),
        view_(view),
        waiting_(pending.begin(), pending.end()),
        admission_(places_.admission()),
        working_(jobs) {
    view_.start(study_, pending, jobs);
  }

  Schedule work() {
    std::vector<std::jthread> jobs;
    for (int job = 0, all = working_; job < all; ++job) jobs.emplace_back([this, job] { take_runs(job); });
    std::unique_lock lock(mutex_);
    while (working_ > 0) {
      lock.unlock();
      view_.draw();
      lock.lock();
      ended_.wait_for(lock, std::chrono::milliseconds(200), [&] { return working_ == 0; });
    }
    return outcome_;
  }

 private:
  void take_runs(int job) {
    while (const auto index = next_run(job)) {
      do_run(job, *index);
      const std::lock_guard lock(mutex_);
      admission_.end(places_.device(job, *index), places_.need(*index));
      room_.notify_all();
    }
    const std::lock_guard lock(mutex_);
    --working_;
    ended_.notify_one();
  }

  /// The next run that is free and has room on the job's device. Those that other processes work on come last: they are
  /// looked at until they are finished, or their holder is dead.
  std::optional<std::size_t> next_run(int job) {
    for (;;) {
      if (stop_ || stop_signal() != 0) return std::nullopt;
      std::optional<std::size_t> elsewhere;
      {
        std::unique_lock lock(mutex_);
        bool later = false;
        if (const auto admitted = admit(job, later)) return admitted;
        if (later) {
          room_.wait_for(lock, std::chrono::milliseconds(200));
          continue;
        }
        if (elsewhere_.empty()) return std::nullopt;
        elsewhere = elsewhere_.front();
        elsewhere_.pop_front();
      }
      const auto folder = run_folder(options_, study_.runs[*elsewhere]);
      if (run_state(folder) == RunState::finished) continue;
      const bool free = storage::is_free(folder, claims_of(*elsewhere));
      {
        const std::lock_guard lock(mutex_);
        (free ? waiting_ : elsewhere_).push_back(*elsewhere);
      }
      if (!free) std::this_thread::sleep_for(std::chrono::milliseconds(200));
    }
  }

  /// The first run that waits and may begin now; whether one may later.
  std::optional<std::size_t> admit(int job, bool& later) {
    for (auto it = waiting_.begin(); it != waiting_.end(); ++it) {
      const auto device = places_.device(job, *it);
      const auto need = places_.need(*it);
      const auto answer = admission_.ask(device, need);
      later |= answer == Admission::Answer::later;
      if (answer != Admission::Answer::now) continue;
      admission_.begin(device, need);
      const auto index = *it;
      waiting_.erase(it);
      return index;
    }
    return std::nullopt;
  }

  storage::ClaimWatch& claims_of(std::size_t run) {
    const std::lock_guard lock(mutex_);
    return claims_.try_emplace(run).first->second;  // one job at a time looks at a run
  }

  void do_run(int job, std::size_t index) {
    const auto& run = study_.runs[index];
    const auto folder = run_folder(options_, run);
    // (Another process may have finished it since this one began.)
    if (run_state(folder) == RunState::finished && is_readable(folder)) return;
    view_.begin(job, index);
    const auto failed = [&](const std::string& message) {
      keep_failure(folder, message);
      view_.fail(job, message, folder / "run.log");
      {
        const std::lock_guard lock(mutex_);
        outcome_.failed[index] = message;
      }
      if (study_.stop_on_error) stop_ = true;
    };
    try {
      std::error_code none;
      fs::remove(failure_file(folder), none);
      run::RunOptions options{.folder = folder,
                              .runs = options_.runs,
                              .threads = threads_,
                              .checkpoint_seconds = options_.checkpoint_seconds};
      options.device = places_.device(job, index);
      options.sealed = study_.sealed;
      options.by = "run_study " + study_.name, options.why = "its list of runs is compared";
      options.features = features_[run.features];
      options.claims = &claims_of(index);
      RunWatcher watcher(view_, job);
      const auto outcome = run::execute(study_.plan(run), options, watcher);
      view_.end(job, outcome);
      if (outcome.diverged) {
        const std::lock_guard lock(mutex_);
        ++outcome_.diverged;
      }
      if (outcome.diverged && study_.stop_on_error) stop_ = true;
    } catch (const Interrupted&) {
      view_.leave(job, "");
    } catch (const storage::InUse& e) {
      const std::lock_guard lock(mutex_);
      view_.leave(job, told_.insert(index).second ? e.what() : "");
      // A task's run whose holder may be dead is looked at again; else it is left to its holder.
      const bool waits = options_.tasks == 1 || storage::is_unknown(folder, claims_.at(index));
      if (waits)
        elsewhere_.push_back(index);
      else
        ++outcome_.left;
    } catch (const std::bad_alloc&) {
      failed("out of memory");
    } catch (const std::exception& e) {
      failed(e.what());
    }
  }

  const Study& study_;
  const ScheduleOptions& options_;
  const int threads_;
  const FeatureSets features_;
  const Places places_;
  View& view_;
  std::atomic<bool> stop_{false};
  std::mutex mutex_;
  std::deque<std::size_t> waiting_;    // in the study's order
  std::deque<std::size_t> elsewhere_;  // that other processes work on
  Admission admission_;
  std::map<std::size_t, storage::ClaimWatch> claims_;  // of runs, as this process has seen them
  std::set<std::size_t> told_;
  std::condition_variable ended_, room_;
  int working_;
  Schedule outcome_;
};

}  // namespace

namespace {

/// Several processes that share a study end with the same choice. One that finds a result in use waits until the other has
/// completed it: unseal then has nothing left to do.
void unseal_in_turn(const run::Plan& plan, const run::RunOptions& options, const results::Look& look) {
  using Clock = std::chrono::steady_clock;
  const auto patience = Clock::now() + std::chrono::minutes(10);
  for (;;) {
    throw_if_stopped();
    try {
      return run::unseal(plan, options, look);
    } catch (const storage::InUse&) {
      if (Clock::now() > patience) throw;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
}

}  // namespace

void score_chosen(const Study& study, const std::vector<ToScore>& chosen, const ScheduleOptions& options,
                  run::Watcher& watcher) {
  if (chosen.empty()) return;
  watcher.line(fmt::format("chosen on validation: the test part{} of {} run{} {} scored",
                           chosen.size() == 1 ? "" : "s", chosen.size(), chosen.size() == 1 ? "" : "s",
                           chosen.size() == 1 ? "is" : "are"));
  const int threads = options.threads > 0 ? options.threads : available_cores();
  std::vector<std::size_t> runs;
  for (const auto& c : chosen) runs.push_back(c.run);
  run::Watcher nobody;
  const auto features = load_feature_sets(study, runs, {}, options, threads, nobody);
  for (const auto& [index, why] : chosen) {
    const auto& entry = study.runs[index];
    run::RunOptions wanted{.folder = run_folder(options, entry), .runs = options.runs, .threads = threads};
    wanted.features = features[entry.features];
    unseal_in_turn(study.plan(entry), wanted, {"run_study " + study.name, why});
  }
}

RunState run_state(const fs::path& folder) {
  std::error_code none;
  if (fs::exists(folder / "checkpoint.h5", none)) return RunState::interrupted;
  if (fs::exists(folder / "result.h5", none)) return RunState::finished;
  if (fs::exists(failure_file(folder), none)) return RunState::failed;
  return RunState::absent;
}

std::string state_text(RunState state) {
  switch (state) {
    case RunState::absent:
      return "-";
    case RunState::interrupted:
      return "interrupted";
    case RunState::failed:
      return "failed";
    case RunState::finished:
      break;
  }
  return "finished";
}

fs::path run_folder(const ScheduleOptions& options, const StudyRun& run) {
  return options.folder / "runs" / run.folder;
}

std::string failure_of(const fs::path& folder) {
  return first_line(storage::read_own_file(failure_file(folder)).value_or(""));
}

void extract_features(const Study& study, const ScheduleOptions& options, run::Watcher& watcher) {
  std::vector<std::size_t> pending;
  for (std::size_t i = 0; i < study.runs.size(); ++i)
    if (is_of_task(options, i) && run_state(run_folder(options, study.runs[i])) != RunState::finished)
      pending.push_back(i);
  choose_devices(study, pending, options, watcher);
  auto wanted = options;
  wanted.feature_bytes = 1;  // they stay on disk
  load_feature_sets(study, pending, {}, wanted, options.threads > 0 ? options.threads : available_cores(),
                    watcher);
}

Schedule run_all(const Study& study, const ScheduleOptions& options, run::Watcher& watcher, View& view) {
  std::vector<std::size_t> pending, begun;
  for (std::size_t i = 0; i < study.runs.size(); ++i) {
    if (options.only && !options.only->contains(i)) continue;  // (of others not even the features are known)
    const auto folder = run_folder(options, study.runs[i]);
    if (!run::folder_key(folder).empty()) begun.push_back(i);
    if (is_of_task(options, i) && (run_state(folder) != RunState::finished || !is_readable(folder)))
      pending.push_back(i);
  }
  auto devices = choose_devices(study, pending, options, watcher);
  const int cores = available_cores(), each = std::max(1, int(options.devices.size()));
  const int wanted =
      each * (options.jobs > 0 ? options.jobs : study.jobs.value_or(std::max(1, cores / each)));
  const int jobs = std::max(1, int(std::min<std::size_t>(std::size_t(wanted), pending.size())));
  const int threads = options.threads > 0 ? options.threads : std::max(1, cores / jobs);
  auto features = load_feature_sets(study, pending, begun, options, std::max(cores, jobs * threads), watcher);
  check_keys(study, options, begun, features);
  if (pending.empty()) return {};
  watcher.line(fmt::format("{} of {} runs to do, {} at a time with {} thread{} each", pending.size(),
                           study.runs.size(), jobs, threads, threads == 1 ? "" : "s"));
  const auto rows = [&](std::size_t index) { return features[study.runs[index].features]->rows(); };
  Places places(study, pending, options, std::move(devices), rows);
  auto outcome =
      Jobs(study, options, pending, jobs, threads, std::move(features), std::move(places), view).work();
  if (stop_signal() != 0) watcher.line("stopped; the same command goes on from here");
  throw_if_stopped();
  return outcome;
}

}  // namespace timbre::study
