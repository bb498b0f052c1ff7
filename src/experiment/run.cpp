#include "experiment/run.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numeric>

#include "core/hash.hpp"
#include "core/memory.hpp"
#include "core/text.hpp"
#include "device/device.hpp"
#include "evaluation/statistics.hpp"
#include "experiment/command_line.hpp"
#include "experiment/guard.hpp"
#include "experiment/scoring.hpp"
#include "features/engine.hpp"
#include "results/describe.hpp"
#include "results/environment.hpp"
#include "results/keras_layout.hpp"
#include "results/run_record.hpp"
#include "storage/atomic_file.hpp"
#include "training/checkpoint.hpp"

namespace timbre::experiment {

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

// Each line of a text block to the console.
void show(Console& console, std::string_view block) {
  while (!block.empty()) {
    const auto end = std::min(block.find('\n'), block.size());
    console.line(block.substr(0, end));
    block.remove_prefix(std::min(end + 1, block.size()));
  }
}

fs::path checkpoint_file(const fs::path& folder) { return folder / "checkpoint.h5"; }

results::RunRecord make_record(const Plan& plan, const std::string& key, const data::FeatureSet& features,
                               const data::Split& split, const data::Standardisation& standardisation,
                               const training::TrainingResult& trained, const std::string& device,
                               int threads) {
  results::RunRecord r;
  const auto& h = trained.history;
  r.experiment = plan.config.experiment, r.key = key, r.seed = plan.config.seed, r.device = device;
  r.status = trained.status == training::Status::finished ? "finished" : "diverged";
  r.message = trained.message;
  r.best_epoch = trained.best_epoch, r.weights_epoch = trained.weights_epoch,
  r.epochs_run = trained.epochs_run;
  r.stopped_early = trained.stopped_early;
  r.parameters = plan.model.parameters(), r.trainable_parameters = plan.model.trainable_parameters();
  r.train_seconds = trained.seconds;
  r.synthetic = plan.clips.synthetic;
  r.config = resolved_yaml(plan);
  r.environment = results::describe_environment(threads);
  r.label_names = plan.clips.label_names;
  r.feature_mean = standardisation.mean, r.feature_std = standardisation.std;
  for (std::size_t e = 0; e < h.epochs(); ++e) r.history.epoch.push_back(std::int32_t(e) + 1);
  r.history.loss = h.loss, r.history.accuracy = h.accuracy;
  r.history.val_loss = h.val_loss, r.history.val_accuracy = h.val_accuracy;
  r.history.learning_rate = h.learning_rate, r.history.seconds = h.seconds;
  r.split = split_record(split, features.clips);
  for (const auto& bad : features.bad_files) r.bad_files.push_back({bad.path, bad.reason});
  return r;
}

/// A finished result; one that is damaged is put aside, so that the run can begin anew. A newer version's is not touched.
std::optional<results::RunRecord> read_or_put_aside(const fs::path& result, Console& console) {
  try {
    return results::read_result(result, false, storage::own_file);
  } catch (const Unavailable&) {
    throw;
  } catch (const Error& e) {
    const bool request = dynamic_cast<const RequestError*>(&e) != nullptr;
    if (request && results::is_result_file(result, storage::own_file)) throw;
    console.line(fmt::format("warning: {}; it is kept as {}, and the run begins anew", e.what(),
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

void show_scores(Console& console, const results::RunRecord& r) {
  console.line();
  show(console, results::stamps(r));
  if (const auto& t = r.scores.train)
    console.line(fmt::format(
        "training    clip accuracy {:.1f}%, segment accuracy {:.1f}%, loss {:.4f} (kept weights, no dropout)",
        100 * t->clip_accuracy, 100 * t->accuracy, t->loss));
  console.line(fmt::format(
      "validation  clip accuracy {:.1f}%, segment accuracy {:.1f}%, loss {:.4f} (epoch {})",
      100 * r.validation->clips.accuracy, 100 * r.validation->accuracy, r.validation->loss, r.weights_epoch));
  if (!r.test) {
    console.line("test        sealed until the study has chosen on validation");
    return;
  }
  const auto& test = *r.test;
  const auto k = std::int64_t(test.clips.label.size());
  const auto interval = evaluation::wilson_interval(std::llround(test.clips.accuracy * double(k)), k);
  console.line(
      fmt::format("test        clip accuracy {:.1f}% (95% interval {:.1f} to {:.1f}, {} clips), segment "
                  "accuracy {:.1f}%, macro F1 {:.3f}",
                  100 * test.clips.accuracy, 100 * interval.low, 100 * interval.high, k, 100 * test.accuracy,
                  test.macro_f1));
  std::string baselines;
  for (const auto& b : r.scores.baselines)
    baselines += fmt::format("{}{} {:.1f}%", baselines.empty() ? "" : ", ", b.name, 100 * b.clip_accuracy);
  if (!baselines.empty()) console.line("baselines   clip accuracy: " + baselines);
}

}  // namespace

namespace {

// `load` is data::prepare_features or data::load_features.
template <class Load>
auto with_progress(Load load, const Plan& plan, const RunOptions& options, ThreadPool& pool,
                   Console& console) {
  const auto device = device::choose(plan.config.device).name;
  CountProgress progress(console, "features");
  auto features =
      load(plan.clips, plan.config.dataset, plan.config.features, options.runs / "features", pool,
           data::ExtractionHooks{[&](std::int64_t done, std::int64_t total) { progress(done, total); },
                                 throw_if_stopped, device});
  for (const auto& note : features.notes) console.line(note);
  console.line(fmt::format("features: {} segments of {} clips, {} {}{}", grouped(features.rows()),
                           grouped(std::int64_t(features.clips.size())), plan.config.features.kind,
                           features.shape.str(), features.from_cache ? ", from the store" : ""));
  return features;
}

}  // namespace

data::FeatureTable prepare_plan_features(const Plan& plan, const RunOptions& options, ThreadPool& pool,
                                         Console& console) {
  return with_progress(data::prepare_features, plan, options, pool, console);
}

data::FeatureSet load_plan_features(const Plan& plan, const RunOptions& options, ThreadPool& pool,
                                    Console& console, std::shared_ptr<const data::Survey> survey) {
  if (!survey) survey = survey_of(plan, options.runs, pool, console);
  const auto largest = options.feature_bytes.value_or(available_memory() / 2);
  const auto load = [&](auto&&... arguments) { return data::load_features(arguments..., largest); };
  auto features = with_progress(load, plan, options, pool, console);
  features.related = survey->related;
  if (features.features.empty())
    console.line(fmt::format("features stay on disk: {:.1f} MB of them, {:.1f} MB of memory for them",
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
      .hex()
      .substr(0, 8);
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

std::unique_ptr<data::RowSource> open_rows(const data::FeatureSet& features) {
  if (features.features.empty())
    return std::make_unique<data::StoreRows>(features.file, features.rows(), features.shape.size(),
                                             features.rows_offset);
  return std::make_unique<data::MemoryRows>(features.features.data(), features.rows(), features.shape.size());
}

std::string folder_key(const fs::path& folder) {
  return first_line(storage::read_own_file(folder / "key").value_or(""));
}

std::string run_key(const Plan& plan, const data::FeatureTable& features) {
  return run_key(plan, features,
                 data::make_split(plan.config.split, features, std::uint64_t(plan.config.seed)));
}

RunOutcome execute(const Plan& plan, const RunOptions& options) {
  const auto seed = std::uint64_t(plan.config.seed);
  const auto device = device::choose(plan.config.device);
  ThreadPool pool(options.threads);
  const auto shared = options.features ? options.features : [&] {
    Console console({}, options.quiet);
    const auto survey = survey_of(plan, options.runs, pool, console);
    preview(plan, *survey);  // what is wrong with it is said before extraction
    for (const auto& note : plan.clips.notes) console.line(note);
    if (!device.notice.empty()) console.line(device.notice);
    return std::make_shared<const data::FeatureSet>(load_plan_features(plan, options, pool, console, survey));
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
  Console console(folder / "run.log", options.quiet);
  // A checkpoint beside a result is that of --force, or of a run killed right before its end: it goes on.
  if (fs::exists(result) && !options.force && !fs::exists(checkpoint_file(folder))) {
    if (const auto old = read_or_put_aside(result, console)) {
      console.line(
          fmt::format("{}: this run has {} before; --force runs it again", folder.string(), old->status));
      return outcome_of(*old, result, true);
    }
  }
  if (options.force || options.restart) fs::remove(checkpoint_file(folder));
  storage::write_file(folder / "key", key + "\n", storage::Links::replace);
  storage::write_file(folder / "config.yaml", resolved_yaml(plan), storage::Links::replace);

  const auto rows = open_rows(features);
  data::Standardisation standardisation;
  if (plan.config.features.standardise) {
    standardisation = data::fit_standardisation(*rows, features.shape[1], split.train, pool);
    rows->standardise(standardisation);
  }

  show(console, plan.model.summary());
  show(console, split_counts(split, features));
  for (const auto& note : split_notes(plan.config, split)) console.line(note);

  const auto& t = plan.config.training;
  const auto step = training::make_step(device.name,
                                        {&plan.model, t.loss.loss.get(), t.optimizer.optimizer.get(),
                                         t.batch_size, seed, t.optimizer.optimizer->learning_rate()},
                                        pool);
  step->bind(*rows, features.label.data());
  const auto tell_notes = [&] {
    for (const auto& note : step->notes()) console.line(note);
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
      console.line(
          fmt::format("goes on from a checkpoint after epoch {}, step {}", resume->epoch, resume->batch));
    } catch (const Unavailable&) {
      throw;
    } catch (const Error& e) {
      console.line(fmt::format("warning: {}; it is kept as {}, and the run begins anew", e.what(),
                               storage::put_aside(checkpoint_file(folder))));
    }
  }
  TrainingProgress progress(console);
  training::TrainerHooks hooks;
  hooks.on_batch = [&](const training::Progress& p) { progress.on_batch(p); };
  hooks.on_epoch = [&](std::int64_t epoch, const training::History& h) {
    progress.on_epoch(epoch, t.epochs, batches, h);
    tell_notes();
    if (options.on_epoch) options.on_epoch(epoch, t.epochs, h);
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
    console.line(options.force     ? "stopped; the same command without --force goes on from here"
                 : options.restart ? "stopped; the same command without --restart goes on from here"
                                   : "stopped; the same command goes on from here");
    throw;
  }

  auto record =
      make_record(plan, key, features, split, standardisation, trained, device.name, pool.threads());
  const auto arena = step->export_weights();
  record.weights = results::model_weights(plan.model, arena);
  record.model_config = results::sequential_config(plan.config.experiment, plan.model).dump();
  if (trained.status == training::Status::finished) {
    if (trained.stopped_early)
      console.line(fmt::format("stopped early after epoch {}; best was epoch {}", trained.epochs_run,
                               trained.best_epoch));
    const auto started = std::chrono::steady_clock::now();
    record.validation = evaluate_part(*step, features, split.validation);
    // For as many rows as the test part has: whether it is sealed changes no figure.
    record.predict_seconds = seconds_since(started) * double(split.test.size()) /
                             double(std::max<std::size_t>(1, split.validation.size()));
    record.scores.train = results::train_record(evaluate_part(*step, features, split.train));
    if (!options.sealed) score_test(record, *step, plan, features, split, {options.by, options.why}, pool);
    show_scores(console, record);
  } else {
    console.line(trained.message);
  }
  for (const auto& bad : features.bad_files)
    console.line(fmt::format("skipped: {}: {}", printable(bad.path), bad.reason));
  results::write_result(result, record);
  fs::remove(checkpoint_file(folder));
  return outcome_of(record, result, false);
}

}  // namespace timbre::experiment
