#include "run/run.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <numeric>

#include "core/hash.hpp"
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
#include "storage/atomic_file.hpp"
#include "training/checkpoint.hpp"

namespace timbre::run {

namespace fs = std::filesystem;

Plan make_plan(RunConfig config, const data::ClipIndex* known) {
  const auto samples = config.dataset.segment_samples(config.features.sample_rate);
  const auto input = features::feature_shape(config.features, samples);
  auto clips = [&] {
    if (known) return *known;
    try {
      return data::index_clips(config.dataset);
    } catch (const RequestError& e) {
      fail_with_place(config, e);
    }
  }();
  auto model = nn::Model::parse(config::Reader(config.model.node, "model"), input,
                                std::int64_t(clips.label_names.size()), config.regularisation);
  return {std::move(config), std::move(clips), std::move(model), samples};
}

std::string resolved_yaml(const Plan& plan) {
  auto node = schema(config::of<RunConfig>{}).dump(plan.config);
  *node.find("model") = plan.model.dump();
  return config::to_yaml(node);
}

namespace {

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// The resolved configuration without what a result does not depend on: names, places, the machine.
config::Node anonymous(const Plan& plan) {
  auto node = schema(config::of<RunConfig>{}).dump(plan.config);
  *node.find("model") = plan.model.dump();
  node.erase("experiment"), node.erase("device"), node.erase("leakage");
  if (const auto& synthetic = plan.config.dataset.synthetic)
    *node.find("dataset")->find("synthetic") = audio::synthetic_identity(*synthetic);
  return node;
}

std::string run_key(const Plan& plan, const data::FeatureTable& features, const data::Split& split) {
  auto node = anonymous(plan);
  node.erase("dataset"), node.erase("split");
  Hasher h;
  h.text("timbre-run 1").text(config::to_yaml(node)).text(features.key);
  for (const auto* rows : {&split.train, &split.validation, &split.test}) {
    h.text(std::to_string(rows->size()));
    h.bytes(rows->data(), rows->size() * sizeof(std::int32_t));
  }
  // What the result says beside the rows: whose artists and copies stand where.
  const bool says = std::any_of(split.shares.begin(), split.shares.end(), [](const data::LeakShare& s) {
    return (s.relation == "artist" && s.known > 0) || (s.relation == "related" && s.found > 0);
  });
  if (says) {
    h.text("leaks");
    h.bytes(split.exposure.data(), split.exposure.size() * sizeof(split.exposure[0]));
    h.bytes(split.unit.data(), split.unit.size() * sizeof(split.unit[0]));
    for (const auto& s : split.shares)
      h.text(fmt::format("{} {} {} {} {} {}", s.part, s.other, s.relation, s.clips, s.known, s.found));
  }
  return h.hex().substr(0, 16);
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

// `load` is data::prepare_features or data::load_features.
template <class Load>
auto with_progress(Load load, const Plan& plan, const RunOptions& options, ThreadPool& pool,
                   Watcher& watcher) {
  const auto device = device::choose(plan.config.device).name;
  const Counter progress(watcher, "features");
  auto features =
      load(plan.clips, plan.config.dataset, plan.config.features, options.runs / "features", pool,
           data::ExtractionHooks{[&](std::int64_t done, std::int64_t total) { progress(done, total); },
                                 throw_if_stopped, device});
  for (const auto& note : features.notes) watcher.line(note);
  watcher.line(fmt::format("features: {} segments of {} clips, {} {}{}", grouped(features.rows()),
                           grouped(std::int64_t(features.clips.size())), plan.config.features.kind,
                           features.shape.str(), features.from_cache ? ", from the store" : ""));
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
  if (features.features.empty())
    watcher.line(fmt::format("features stay on disk: {:.1f} MB of them, {:.1f} MB of memory for them",
                             double(features.rows() * features.shape.size()) * sizeof(float) / 1e6,
                             double(largest) / 1e6));
  return features;
}

std::string configuration_key(const Plan& plan) {
  auto node = anonymous(plan);
  auto* dataset = node.find("dataset");
  dataset->erase("path"), dataset->erase("manifest");
  return Hasher()
      .text("timbre-configuration 1")
      .text(config::to_yaml(node))
      .text(features::extraction_key(plan.config.features))
      .hex();
}

std::string describe_plan(const Plan& plan, const data::Survey& survey) {
  const auto [table, split] = preview(plan, survey);
  std::string out = resolved_yaml(plan) + "\n" + plan.model.summary() + "\n";
  out +=
      fmt::format("data: {} clips of {} genres in {}{}\n", plan.clips.clips.size(),
                  plan.clips.label_names.size(), plan.clips.synthetic ? "no file" : plan.clips.root.string(),
                  plan.clips.synthetic ? " (SYNTHETIC)" : "");
  for (const auto& note : plan.clips.notes) out += note + "\n";
  for (const auto& bad : table.bad_files)
    out += fmt::format("skipped: {}: {}\n", printable(bad.path), printable(bad.reason));
  out += fmt::format("segments of {} samples ({} s), features {} {}\n", plan.segment_samples,
                     number_text(plan.config.dataset.segment_seconds), plan.config.features.kind,
                     plan.model.input().str());
  out += fmt::format("split by {}\n", plan.config.split.group_by);
  out += split_counts(split, table);
  for (const auto& note : split_notes(plan.config, split)) out += note + "\n";
  return out;
}

std::string folder_key(const fs::path& folder) {
  return first_line(storage::read_own_file(folder / "key").value_or(""));
}

std::string run_key(const Plan& plan, const data::FeatureTable& features) {
  return run_key(plan, features,
                 data::make_split(plan.config.split, features, std::uint64_t(plan.config.seed)));
}

RunOutcome execute(const Plan& plan, const RunOptions& options, Watcher& watcher) {
  const auto seed = std::uint64_t(plan.config.seed);
  const auto device = device::choose(plan.config.device);
  ThreadPool pool(options.threads);
  const auto shared = options.features ? options.features : [&] {
    const auto survey = survey_of(plan, options.runs, pool, watcher);
    preview(plan, *survey);  // what is wrong with it is said before extraction
    for (const auto& note : plan.clips.notes) watcher.line(note);
    if (!device.notice.empty()) watcher.line(device.notice);
    return std::make_shared<const data::FeatureSet>(load_plan_features(plan, options, pool, watcher, survey));
  }();
  const auto& features = *shared;
  const auto split = data::make_split(plan.config.split, features, seed);
  refuse_leaks(plan.config, split);
  const auto key = run_key(plan, features, split);
  const auto folder = options.folder.value_or(options.runs / plan.config.experiment / key);
  const auto result = folder / "result.h5";

  const storage::FolderLock lock(folder);
  storage::remove_temporaries(folder);
  const auto before = folder_key(folder);
  if (!before.empty() && before != key)
    fail_request("{}: holds another run (key {}, this one is {}); name another --out", folder.string(),
                 before, key);
  if (before.empty() && fs::exists(result))
    fail_request("{}: holds a result whose run is not known; name another --out", folder.string());
  Log log(folder / "run.log", watcher);
  // A checkpoint beside a result is that of --force, or of a run killed right before its end: it goes on.
  if (fs::exists(result) && !options.force && !fs::exists(checkpoint_file(folder))) {
    if (const auto old = read_or_put_aside(result, log)) {
      log.line(
          fmt::format("{}: this run has {} before; --force runs it again", folder.string(), old->status));
      return outcome_of(*old, result, true);
    }
  }
  if (options.force || options.restart) fs::remove(checkpoint_file(folder));
  storage::write_file(folder / "key", key + "\n", storage::Links::replace);
  storage::write_file(folder / "config.yaml", resolved_yaml(plan), storage::Links::replace);

  const auto prepared = prepare(plan, features, split, pool);

  show(log, plan.model.summary());
  show(log, split_counts(split, features));
  for (const auto& note : split_notes(plan.config, split)) log.line(note);

  const auto& t = plan.config.training;
  const auto step = make_step(plan, prepared, features, device.name, pool);
  const auto tell_notes = [&] {
    for (const auto& note : step->notes()) log.line(note);
  };
  tell_notes();

  const auto batches = piece_count(std::int64_t(split.train.size()), t.batch_size);
  std::optional<training::TrainerState> resume;
  if (fs::exists(checkpoint_file(folder))) {
    try {
      auto state = training::read_checkpoint(checkpoint_file(folder), key);
      if (const auto why = training::misfit(state, *step, batches); !why.empty())
        fail("{}: does not fit this run: {}", printable(checkpoint_file(folder).string()), why);
      resume = std::move(state);
      log.line(
          fmt::format("goes on from a checkpoint after epoch {}, step {}", resume->epoch, resume->batch));
    } catch (const Unavailable&) {
      throw;
    } catch (const Error& e) {
      log.line(fmt::format("warning: {}; it is kept as {}, and the run begins anew", e.what(),
                           storage::put_aside(checkpoint_file(folder))));
    }
  }
  training::TrainerHooks hooks;
  hooks.on_batch = [&](const training::Progress& p) { log.batch(p); };
  hooks.on_epoch = [&](std::int64_t epoch, const training::History& h) {
    log.epoch({epoch, t.epochs, batches, h});
    tell_notes();
  };
  hooks.save = [&](const training::TrainerState& s) {
    training::write_checkpoint(checkpoint_file(folder), key, s);
  };
  hooks.save_every_seconds = options.checkpoint_seconds;
  hooks.signal = &stop_signal();
  training::TrainingResult trained;
  try {
    trained =
        training::train(*step, t, seed, split.train, split.validation, hooks, resume ? &*resume : nullptr);
  } catch (const Interrupted&) {
    log.line(options.force     ? "stopped; the same command without --force goes on from here"
             : options.restart ? "stopped; the same command without --restart goes on from here"
                               : "stopped; the same command goes on from here");
    throw;
  }

  auto record =
      make_record(plan, key, features, split, prepared.standardisation, trained, device.name, pool.threads());
  const auto arena = step->export_weights();
  record.weights = results::model_weights(plan.model, arena);
  record.model_config = results::sequential_config(plan.config.experiment, plan.model).dump();
  if (trained.status == training::Status::finished) {
    if (trained.stopped_early)
      log.line(fmt::format("stopped early after epoch {}; best was epoch {}", trained.epochs_run,
                           trained.best_epoch));
    const auto started = std::chrono::steady_clock::now();
    record.validation = evaluate_part(*step, features, split.validation);
    // For as many rows as the test part has: whether it is sealed changes no figure.
    record.predict_seconds = seconds_since(started) * double(split.test.size()) /
                             double(std::max<std::size_t>(1, split.validation.size()));
    record.scores.train = results::train_record(evaluate_part(*step, features, split.train));
    if (!options.sealed)
      score_test(record, evaluate_part(*step, features, split.test), plan, features, split,
                 {options.by, options.why}, pool);
    show_scores(log, record);
  } else {
    log.line(trained.message);
  }
  for (const auto& bad : features.bad_files)
    log.line(fmt::format("skipped: {}: {}", printable(bad.path), bad.reason));
  results::write_result(result, record);
  fs::remove(checkpoint_file(folder));
  return outcome_of(record, result, false);
}

}  // namespace timbre::run
