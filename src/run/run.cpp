#include "run/run.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <map>
#include <numeric>

#include "core/interrupt.hpp"
#include "core/memory.hpp"
#include "core/text.hpp"
#include "device/device.hpp"
#include "features/engine.hpp"
#include "results/describe.hpp"
#include "results/keras_layout.hpp"
#include "results/run_record.hpp"
#include "run/guard.hpp"
#include "run/log.hpp"
#include "run/prepare.hpp"
#include "run/record.hpp"
#include "run/scoring.hpp"
#include "run/status.hpp"
#include "storage/atomic_file.hpp"
#include "storage/claim.hpp"
#include "training/checkpoint.hpp"

namespace timbre::run {

namespace fs = std::filesystem;

namespace {

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

fs::path checkpoint_file(const fs::path& folder) { return folder / "checkpoint.h5"; }

/// A finished result; one that is damaged is put aside, so that the run can begin anew. A newer version's is not
/// touched.
std::optional<results::RunRecord> read_or_put_aside(const fs::path& result, Watcher& watcher) {
  try {
    return results::read_result(result, false, storage::own_file);
  } catch (const Unavailable&) {
    throw;
  } catch (const Error& e) {
    const bool request = dynamic_cast<const RequestError*>(&e) != nullptr;
    if (request && results::is_result_file(result, storage::own_file)) throw;
    watcher.line(fmt::format("warning: {}; it is kept as {}, and the run begins anew", e.what(),
                             storage::put_aside(result)));
    return std::nullopt;
  }
}

/// The looks at the test part that an earlier result of this run recorded. --force keeps them.
std::vector<results::Look> earlier_looks(const fs::path& result) {
  if (!fs::exists(result)) return {};
  try {
    return results::read_result(result, false, storage::own_file).scores.looks;
  } catch (const Unavailable&) {
    throw;
  } catch (const Error&) {  // of no further use
    return {};
  }
}

/// With --force: how many looks the result held before. It lies there from the beginning to the end, so that a run which was
/// killed right before its end, and goes on beside its own result, does not count itself twice.
fs::path looks_file(const fs::path& folder) { return folder / "looks_before"; }

std::vector<results::Look> looks_before(const fs::path& folder) {
  const auto count = storage::read_own_file(looks_file(folder));
  auto looks = count ? earlier_looks(folder / "result.h5") : std::vector<results::Look>{};
  if (count) looks.resize(std::min(looks.size(), std::size_t(std::strtoull(count->c_str(), nullptr, 10))));
  return looks;
}

RunOutcome outcome_of(const results::RunRecord& r, const fs::path& file, bool before) {
  constexpr auto unknown = std::numeric_limits<double>::quiet_NaN();
  return {file,
          before,
          r.status == "diverged",
          r.message,
          r.epochs_run,
          r.weights_epoch,
          r.validation ? r.validation->clips.accuracy : unknown};
}

/// Throws RequestError where the folder holds another run.
void require_own_folder(const fs::path& folder, const std::string& key) {
  const auto before = folder_key(folder);
  if (!before.empty() && before != key)
    fail_request("{}: holds another run (key {}, this one is {}); name another --out", folder.string(),
                 before, key);
  if (before.empty() && fs::exists(folder / "result.h5"))
    fail_request("{}: holds a result whose run is not known; name another --out", folder.string());
}

/// Where a run that was stopped goes on; a checkpoint that is damaged, or does not fit, is put aside.
std::optional<training::TrainerState> read_checkpoint_or_put_aside(const fs::path& folder,
                                                                   const std::string& key,
                                                                   training::TrainingStep& step,
                                                                   std::int64_t batches, Watcher& watcher) {
  const auto file = checkpoint_file(folder);
  if (!fs::exists(file)) return std::nullopt;
  try {
    auto state = training::read_checkpoint(file, key);
    if (const auto why = training::misfit(state, step, batches); !why.empty())
      fail("{}: does not fit this run: {}", printable(file.string()), why);
    watcher.line(fmt::format("goes on from a checkpoint after epoch {}, step {}", state.epoch, state.batch));
    return state;
  } catch (const Unavailable&) {
    throw;
  } catch (const Error& e) {
    watcher.line(fmt::format("warning: {}; it is kept as {}, and the run begins anew", e.what(),
                             storage::put_aside(file)));
    return std::nullopt;
  }
}

/// Trains from where the run was stopped, or from the beginning. Throws Interrupted after a checkpoint.
training::TrainingResult train(const Plan& plan, const RunOptions& options, const fs::path& folder,
                               const std::string& key, const data::FeatureSet& features,
                               const data::Split& split, const std::vector<std::int32_t>& train_rows,
                               training::TrainingStep& step, const storage::FolderLock& lock,
                               StatusKeeper& status, Watcher& watcher) {
  const auto& t = plan.config.training;
  const auto tell_notes = [&] {
    for (const auto& note : step.notes()) watcher.line(note);
  };
  tell_notes();
  const auto batches = piece_count(std::int64_t(train_rows.size()), t.batch_size);
  const auto resume = read_checkpoint_or_put_aside(folder, key, step, batches, watcher);
  training::TrainerHooks hooks;
  hooks.on_batch = [&](const training::Progress& p) { watcher.batch(p); };
  hooks.on_epoch = [&](std::int64_t epoch, const training::History& h) {
    watcher.epoch({epoch, t.epochs, batches, h});
    status.epoch(epoch, h.val_accuracy.back());
    tell_notes();
  };
  hooks.save = [&](const training::TrainerState& s) {
    lock.require_held();
    training::write_checkpoint(checkpoint_file(folder), key, s);
  };
  hooks.validate = [&](const std::string& column, const training::TrainingStep::Scores& scores) {
    const auto e = evaluation_of(scores.probabilities, features, split.validation);
    return column == "val_clip_accuracy" ? e.clips.accuracy : e.macro_f1;
  };
  hooks.save_every_seconds = options.checkpoint_seconds;
  hooks.signal = &stop_signal();
  try {
    return training::train(step, t, std::uint64_t(plan.config.seed), train_rows, split.validation, hooks,
                           resume ? &*resume : nullptr);
  } catch (const Interrupted&) {
    watcher.line(options.force     ? "stopped; the same command without --force goes on from here"
                 : options.restart ? "stopped; the same command without --restart goes on from here"
                                   : "stopped; the same command goes on from here");
    throw;
  }
}

/// Scores the parts with the kept weights, the test only where it is not sealed, and shows the figures.
void score(results::RunRecord& record, training::TrainingStep& step, const Plan& plan,
           const RunOptions& options, const data::FeatureSet& features, const data::Split& split,
           ThreadPool& pool, Watcher& watcher) {
  if (record.stopped_early)
    watcher.line(
        fmt::format("stopped early after epoch {}; best was epoch {}", record.epochs_run, record.best_epoch));
  const auto started = std::chrono::steady_clock::now();
  record.validation = evaluate_part(step, features, split.validation);
  // For as many rows as the test part has: whether it is sealed changes no figure.
  record.predict_seconds = seconds_since(started) * double(split.test.size()) /
                           double(std::max<std::size_t>(1, split.validation.size()));
  record.scores.train = results::train_record(evaluate_part(step, features, split.train));
  if (!options.sealed)
    score_test(record, evaluate_part(step, features, split.test), plan, features, split,
               {options.by, options.why}, pool);
  show_scores(watcher, record);
}

/// Before the figures, which a long list would scroll away; the result lists all.
void show_skipped(Watcher& watcher, const std::vector<data::BadFile>& files) {
  constexpr std::size_t most = 10;
  for (std::size_t i = 0; i < std::min(files.size(), most); ++i)
    watcher.line(fmt::format("skipped: {}: {}", printable(files[i].path), printable(files[i].reason)));
  if (files.size() > most)
    watcher.line(fmt::format("skipped: {} more; inspect --all lists them",
                             counted(std::int64_t(files.size() - most), "file")));
}

device::Choice device_of(const Plan& plan, const RunOptions& options) {
  return device::choose(options.device.empty() ? plan.config.device : options.device);
}

// `load` is data::prepare_features or data::load_features.
template <class Load>
auto with_progress(Load load, const Plan& plan, const RunOptions& options, ThreadPool& pool,
                   Watcher& watcher) {
  const auto device = device_of(plan, options).name;
  const Counter progress(watcher, "features");
  auto features =
      load(plan.clips, plan.config.dataset, plan.config.features, options.runs / "features", pool,
           data::ExtractionHooks{[&](std::int64_t done, std::int64_t total) { progress(done, total); },
                                 throw_if_stopped, device});
  for (const auto& note : features.notes) watcher.line(note);
  for (const auto& note :
       {features::feature_note(plan.config.features), features::device_note(device, plan.config.features)})
    if (!note.empty()) watcher.line(note);
  watcher.line(fmt::format("features: {} segments of {} clips, {} {}{}", grouped(features.rows()),
                           grouped(std::int64_t(features.clips.size())),
                           features::name_of(plan.config.features), features.shape.str(),
                           features.from_cache ? ", from the store" : ""));
  return features;
}

}  // namespace

data::FeatureTable prepare_plan_features(const Plan& plan, const RunOptions& options, ThreadPool& pool,
                                         Watcher& watcher) {
  return with_progress(data::prepare_features, plan, options, pool, watcher);
}

data::FeatureSet load_plan_features(const Plan& plan, const RunOptions& options, ThreadPool& pool,
                                    Watcher& watcher, std::shared_ptr<const data::Survey> survey) {
  if (!survey) survey = survey_of(plan, options.runs, pool, watcher);
  const auto largest = options.feature_bytes.value_or(available_memory() / 2);
  const auto load = [&](auto&&... arguments) { return data::load_features(arguments..., largest); };
  auto features = with_progress(load, plan, options, pool, watcher);
  features.related = survey->related;
  features.cuts =
      data::count_segments(plan.clips, plan.config.dataset, plan.config.features.sample_rate, *survey);
  if (features.features.empty())
    watcher.line(fmt::format("features stay on disk: {:.1f} MB of them, {:.1f} MB of memory for them",
                             double(features.rows() * features.shape.size()) * sizeof(float) / 1e6,
                             double(largest) / 1e6));
  return features;
}

namespace {

/// What is wrong with a plan's clips or split is said before anything is extracted.
std::shared_ptr<const data::FeatureSet> find_features(const Plan& plan, const RunOptions& options,
                                                      const device::Choice& device, ThreadPool& pool,
                                                      Watcher& watcher) {
  const auto survey = survey_of(plan, options.runs, pool, watcher);
  preview(plan, *survey);
  for (const auto& note : plan.clips.notes) watcher.line(note);
  if (!device.notice.empty()) watcher.line(device.notice);
  return std::make_shared<const data::FeatureSet>(load_plan_features(plan, options, pool, watcher, survey));
}

}  // namespace

namespace {

storage::FolderLock lock_of(const fs::path& folder, const RunOptions& options, Watcher& watcher) {
  if (options.claims) return storage::FolderLock(folder, *options.claims);
  return storage::FolderLock(folder, [&](const std::string& holder) {
    watcher.line(fmt::format("waits to see whether {} is alive, a minute at most", holder));
  });
}

/// The folder of a run, while this process works in it.
struct Place {
  const fs::path& folder;
  const std::string& key;
  const storage::FolderLock& lock;
};

/// Features of the changed copies of the sound, where the configuration asks for some.
std::vector<data::FeatureSet> load_copies(const Plan& plan, const RunOptions& options,
                                          const data::FeatureSet& features, ThreadPool& pool,
                                          Watcher& watcher) {
  std::vector<data::FeatureSet> out;
  if (!plan.config.augmentation || !plan.config.augmentation->waveform) return out;
  const auto& waveform = *plan.config.augmentation->waveform;
  for (int k = 1; k <= int(waveform.copies); ++k) {
    watcher.line(fmt::format("copy {} of {}:", k, waveform.copies));
    // The runs of a study read copies from the store, so that memory holds them once.
    const auto largest = options.features ? 0 : options.feature_bytes.value_or(available_memory() / 2);
    const auto load = [&](auto&&... arguments) {
      return data::load_copy(waveform, k, arguments..., largest);
    };
    out.push_back(with_progress(load, plan, options, pool, watcher));
    if (out.back().rows() != features.rows()) fail("the songs changed while their copies were made");
  }
  return out;
}

/// Trains, scores, and writes the result.
RunOutcome work(const Plan& plan, const RunOptions& options, const data::FeatureSet& features,
                const data::Split& split, const std::string& device, const Place& place, ThreadPool& pool,
                StatusKeeper& status, Log& log) {
  const auto& [folder, key, lock] = place;
  const auto result = folder / "result.h5";
  const auto prepared = prepare(plan, features, split, pool, load_copies(plan, options, features, pool, log));

  show(log, plan.model.summary());
  if (plan.initial) log.line(describe(*plan.initial));
  show(log, split_counts(split, features));
  if (const auto cuts = data::describe(features.cuts); !cuts.empty()) log.line(cuts);
  for (const auto& note : split_notes(plan.config, split)) log.line(note);

  const auto step = make_step(plan, prepared, features, split, device, pool);
  const auto trained =
      train(plan, options, folder, key, features, split, prepared.train, *step, lock, status, log);

  auto record =
      make_record(plan, key, features, split, prepared.standardisation, trained, device, pool.threads());
  const auto arena = step->export_weights();
  record.weights = results::model_weights(plan.model, arena);
  record.model_config = results::model_config(plan.config.experiment, plan.model).dump();
  show_skipped(log, features.bad_files);
  if (trained.status == training::Status::finished)
    score(record, *step, plan, options, features, split, pool, log);
  else
    log.line(trained.message);
  const auto looks = looks_before(folder);
  record.scores.looks.insert(record.scores.looks.begin(), looks.begin(), looks.end());
  lock.require_held();
  results::write_result(result, record);
  fs::remove(checkpoint_file(folder)), fs::remove(looks_file(folder));
  auto outcome = outcome_of(record, result, false);
  status.end(record.status, outcome.epochs_run, outcome.validation_accuracy, outcome.message);
  return outcome;
}

}  // namespace

RunOutcome execute(const Plan& plan, const RunOptions& options, Watcher& watcher) {
  const auto seed = std::uint64_t(plan.config.seed);
  const auto device = device_of(plan, options);
  ThreadPool pool(options.threads);
  const auto shared =
      options.features ? options.features : find_features(plan, options, device, pool, watcher);
  const auto& features = *shared;
  const auto split = data::make_split(plan.config.split, features, seed);
  refuse_leaks(plan.config, split);
  const auto key = run_key(plan, features, split);
  const auto folder = options.folder.value_or(options.runs / plan.config.experiment / key);
  const auto result = folder / "result.h5";

  const auto lock = lock_of(folder, options, watcher);
  storage::remove_temporaries(folder);
  require_own_folder(folder, key);
  Log log(folder / "run.log", watcher);
  // A checkpoint beside a result is that of --force, or of a run killed right before its end: it goes on.
  if (fs::exists(result) && !options.force && !fs::exists(checkpoint_file(folder))) {
    if (const auto old = read_or_put_aside(result, log)) {
      log.line(
          fmt::format("{}: this run has {} before; --force runs it again", folder.string(), old->status));
      fs::remove(looks_file(folder));
      return outcome_of(*old, result, true);
    }
  }
  if (options.force)
    storage::write_file(looks_file(folder), std::to_string(earlier_looks(result).size()) + "\n",
                        storage::Links::replace);
  if (options.force || options.restart) fs::remove(checkpoint_file(folder));
  storage::write_file(folder / "key", key + "\n", storage::Links::replace);
  storage::write_file(folder / "config.yaml", resolved_yaml(plan), storage::Links::replace);

  StatusKeeper status(folder, key, plan.clips.synthetic ? "synthetic" : plan.clips.root.string(),
                      features.file.filename().string(), plan.config.training.epochs);
  try {
    return work(plan, options, features, split, device.name, {folder, key, lock}, pool, status, log);
  } catch (const Interrupted& e) {
    status.stopped(e.signal);
    throw;
  } catch (const std::exception& e) {
    status.failed(e.what());
    throw;
  }
}

}  // namespace timbre::run
