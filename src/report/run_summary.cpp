#include "report/run_summary.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "core/error.hpp"
#include "core/text.hpp"
#include "evaluation/aggregate.hpp"
#include "report/settings.hpp"

namespace timbre::report {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

Scores scores(const results::Evaluation& e, const std::vector<std::int32_t>& rows, bool leaks,
              Catalogue& catalogue) {
  Scores s{e.clips.accuracy, e.clips.macro_f1,  e.accuracy, e.loss, e.macro_f1, e.rows(), {},
           e.clips.label,    e.clips.prediction};
  s.heard = e.clips.heard, s.group = e.clips.group;
  for (const auto& path : e.clips.path) s.clip.push_back(catalogue.clips.number(path));
  s.majority = evaluation::majority_share(s.label);
  std::vector<std::array<std::int32_t, 2>> labelled;
  for (std::size_t i = 0; i < s.clip.size(); ++i) labelled.push_back({s.clip[i], s.label[i]});
  std::sort(labelled.begin(), labelled.end());
  std::vector<std::int32_t> set;
  for (const auto& l : labelled) set.insert(set.end(), l.begin(), l.end());
  // Segments dealt one by one: nearly every clip has some in every part, so that the clips alone tell
  // nothing.
  if (leaks) set.push_back(-1), set.insert(set.end(), rows.begin(), rows.end());
  s.set = catalogue.sets.number(set);
  return s;
}

/// The same clips, as a baseline takes them.
BaselineScores baseline_scores(const results::BaselineRecord& b, const results::Evaluation& e,
                               const Scores& of_test) {
  const auto clips = evaluation::aggregate_clips(b.probabilities, e.classes(), e.label, e.clip);
  const auto confusion = evaluation::confusion_matrix(clips.label, clips.prediction, e.classes());
  auto s = of_test;
  s.prediction = clips.prediction;
  s.clip_accuracy = clips.accuracy, s.accuracy = b.accuracy;
  s.clip_macro_f1 = evaluation::macro_f1(evaluation::per_class(confusion, e.classes()), confusion);
  s.loss = evaluation::cross_entropy(b.probabilities, e.classes(), e.label);
  s.macro_f1 = nan;
  return {b.name, b.parameters, b.converged, std::move(s)};
}

}  // namespace

bool RunSummary::knows_groups() const { return !std::isnan(artist_share); }

double RunSummary::kept(const std::vector<double> results::HistoryRecord::*column) const {
  const auto& values = history.*column;
  const auto epoch = weights_epoch > 0 ? weights_epoch : best_epoch;
  for (std::size_t i = 0; i < history.epoch.size() && i < values.size(); ++i)
    if (history.epoch[i] == epoch) return values[i];
  return nan;
}

RunSummary read_run(const std::filesystem::path& file, Catalogue& catalogue,
                    const results::ResultReader& read) {
  auto r = read(file);
  RunSummary s;
  s.file = file;
  s.experiment = r.experiment.empty() ? "run" : r.experiment;
  s.key = r.key, s.device = r.device, s.version = r.version, s.status = r.status, s.message = r.message;
  s.yaml = r.config;
  try {
    s.settings = config::parse_text(r.config, printable(file.string()), ".");
  } catch (const RequestError& e) {
    fail_request("{}: its configuration cannot be read: {}", printable(file.string()), e.what());
  }
  s.repetition = std::to_string(r.seed);
  const auto given = [&](const char* path) {
    const auto* n = at(s.settings, path);
    return n && n->is_scalar() ? n->scalar : "";
  };
  if (!given("split.folds").empty()) s.fold = given("split.fold"), s.repetition += ", fold " + s.fold;
  if (!given("split.seed").empty()) s.repetition += ", split " + given("split.seed");
  for (const auto* key : {"experiment", "seed", "device", "leakage"}) s.settings.erase(key);
  if (auto* split = s.settings.find("split")) split->erase("fold"), split->erase("seed");
  if (auto* dataset = s.settings.find("dataset"))
    for (const std::string key : {"path", "manifest"}) {
      if (const auto* n = dataset->find(key); n && !n->is_null()) s.place = *n;
      dataset->erase(key);
    }
  // Keys that came later say nothing where they have their defaults: earlier results lack them.
  if (auto* dataset = s.settings.find("dataset"))
    if (auto* synthetic = dataset->find("synthetic"); synthetic && synthetic->is_map())
      for (const auto& [key, value] : {std::pair{"artists_per_genre", "0"}, {"start", "bar"}})
        if (const auto* n = synthetic->find(key); n && n->scalar == value) synthetic->erase(key);
  if (const auto* synthetic = at(s.settings, "dataset.synthetic"); synthetic && !synthetic->is_null())
    s.data = flow(synthetic);
  s.best_epoch = r.best_epoch, s.weights_epoch = r.weights_epoch, s.epochs_run = r.epochs_run;
  s.stopped_early = r.stopped_early, s.synthetic = r.synthetic, s.leaks = r.split.leaks;
  s.parameters = r.parameters, s.trainable_parameters = r.trainable_parameters;
  s.train_seconds = r.train_seconds;
  s.predict_seconds =
      r.validation && !r.split.test.empty() ? r.predict_seconds / double(r.split.test.size()) : nan;
  s.clip_share = r.split.clip_share_in_train, s.artist_share = r.split.artist_share_in_train;
  s.related_share = r.split.related_share_in_train();
  s.missing = std::move(r.split.missing), s.related = std::move(r.split.related);
  s.train_segments = std::int64_t(r.split.train.size()),
  s.validation_segments = std::int64_t(r.split.validation.size());
  s.test_segments = std::int64_t(r.split.test.size());
  if (r.validation) s.validation = scores(*r.validation, r.split.validation, s.leaks, catalogue);
  if (r.test) {
    s.test = scores(*r.test, r.split.test, s.leaks, catalogue);
    const auto& clips = r.test->clips;
    s.clip_calibration = evaluation::calibration(clips.probabilities, r.test->classes(), clips.label);
    s.segment_calibration = evaluation::calibration(r.test->probabilities, r.test->classes(), r.test->label);
    for (const auto& b : r.scores.baselines) s.baselines.push_back(baseline_scores(b, *r.test, *s.test));
  }
  // (Not the clips of the test part, which a sealed result does not name: the rows say which they are.)
  std::vector<std::int32_t> split{s.validation ? s.validation->set : -1};
  for (const auto* part : {&r.split.train, &r.split.validation, &r.split.test})
    split.insert(split.end(), part->begin(), part->end()), split.push_back(-1);
  s.split = catalogue.sets.number(split);
  s.history = std::move(r.history);
  s.train_measured = r.scores.train.has_value();
  s.train_accuracy = s.train_measured ? r.scores.train->accuracy : s.kept(&results::HistoryRecord::accuracy);
  s.train_loss = s.train_measured ? r.scores.train->loss : nan;
  if (const auto* stopping = at(s.settings, "training.early_stopping"))
    s.early_stopping = !stopping->is_null();
  s.looks = std::move(r.scores.looks);
  s.environment = std::move(r.environment), s.notes = std::move(r.split.notes);
  s.bad_files = std::move(r.bad_files), s.label_names = std::move(r.label_names);
  return s;
}

}  // namespace timbre::report
