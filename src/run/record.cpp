#include "run/record.hpp"

#include <fmt/format.h>

#include <cmath>
#include <map>
#include <string_view>

#include "data/external.hpp"
#include "device/algorithms.hpp"
#include "device/backend.hpp"
#include "evaluation/statistics.hpp"
#include "results/describe.hpp"
#include "results/environment.hpp"
#include "run/guard.hpp"

namespace timbre::run {

namespace {

std::vector<std::string> clip_paths(const data::FeatureSet& features) {
  std::vector<std::string> paths;
  for (const auto& clip : features.clips) paths.push_back(clip.path);
  return paths;
}

}  // namespace

results::Evaluation evaluation_of(std::span<const float> probabilities, const data::FeatureSet& features,
                                  const std::vector<std::int32_t>& rows) {
  std::vector<std::int32_t> label, clip, segment;
  for (const auto r : rows) {
    label.push_back(features.label[std::size_t(r)]);
    clip.push_back(features.clip[std::size_t(r)]);
    segment.push_back(features.segment[std::size_t(r)]);
  }
  return results::evaluate(probabilities, label, clip, segment, clip_paths(features));
}

results::Evaluation evaluate_part(training::TrainingStep& step, const data::FeatureSet& features,
                                  const std::vector<std::int32_t>& rows) {
  return evaluation_of(step.evaluate(rows).probabilities, features, rows);
}

/// Of each test clip, how near it comes to what was trained on, and what it shares with other clips.
void add_exposure(results::Evaluation& test, const data::Split& split, const std::vector<data::Clip>& clips) {
  std::map<std::string_view, std::size_t> place;
  for (std::size_t i = 0; i < clips.size(); ++i) place.emplace(clips[i].path, i);
  for (const auto& path : test.clips.path) {
    const auto i = place.at(path);
    test.clips.heard.push_back(std::int32_t(split.exposure[i]));
    test.clips.group.push_back(std::int32_t(split.unit[i]));
  }
}

results::RunRecord make_record(const Plan& plan, const std::string& key, const data::FeatureSet& features,
                               const data::Split& split, const data::Standardisation& standardisation,
                               const training::TrainingResult& trained, const std::string& device,
                               int threads) {
  results::RunRecord r;
  const auto& h = trained.history;
  r.experiment = plan.config.experiment, r.key = key, r.seed = plan.config.seed,
  r.device = device::backend_of(device);
  r.status = trained.status == training::Status::finished ? "finished" : "diverged";
  r.message = trained.message;
  r.best_epoch = trained.best_epoch, r.weights_epoch = trained.weights_epoch,
  r.epochs_run = trained.epochs_run;
  r.stopped_early = trained.stopped_early;
  r.parameters = plan.model.parameter_count(),
  r.trainable_parameters = plan.model.trainable_parameter_count();
  r.train_seconds = trained.seconds;
  r.synthetic = plan.clips.synthetic;
  r.config = resolved_yaml(plan);
  r.environment = results::describe_environment(threads);
  if (auto algorithms = device::describe(device::algorithm_settings(), device != "cpu"); !algorithms.empty())
    r.environment.emplace_back("algorithms", std::move(algorithms));
  r.label_names = plan.clips.label_names;
  r.feature_mean = standardisation.mean, r.feature_std = standardisation.std;
  for (std::size_t e = 0; e < h.epochs(); ++e) r.history.epoch.push_back(std::int32_t(e) + 1);
  static_cast<training::History&>(r.history) = h;
  r.split = split_record(split, features.clips);
  if (const auto& external = plan.clips.external)
    for (const auto& text : external->rebuilt)
      r.split.notes.emplace_back(fmt::format("note{}", r.split.notes.size()), text);
  r.bad_files = features.bad_files;
  if (plan.config.dataset.segment) r.segments = features.cuts;
  return r;
}

void show_scores(Watcher& watcher, const results::RunRecord& r) {
  watcher.line("");
  show(watcher, results::stamps(r));
  if (const auto& t = r.scores.train)
    watcher.line(fmt::format(
        "training    clip accuracy {:.1f}%, segment accuracy {:.1f}%, loss {:.4f} (kept weights, no dropout)",
        100 * t->clip_accuracy, 100 * t->accuracy, t->loss));
  if (r.validation)
    watcher.line(
        fmt::format("validation  clip accuracy {:.1f}%, segment accuracy {:.1f}%, loss {:.4f} (epoch {})",
                    100 * r.validation->clips.accuracy, 100 * r.validation->accuracy, r.validation->loss,
                    r.weights_epoch));
  if (!r.test) {
    watcher.line("test        sealed until the study has chosen on validation");
    return;
  }
  const auto& test = *r.test;
  const auto k = std::int64_t(test.clips.label.size());
  const auto interval = evaluation::wilson_interval(std::llround(test.clips.accuracy * double(k)), k);
  watcher.line(
      fmt::format("test        clip accuracy {:.1f}% (95% interval {:.1f} to {:.1f}, {} clips), clip "
                  "macro F1 {:.3f}, segment accuracy {:.1f}%",
                  100 * test.clips.accuracy, 100 * interval.low, 100 * interval.high, k, test.clips.macro_f1,
                  100 * test.accuracy));
  std::string baselines;
  for (const auto& b : r.scores.baselines)
    baselines += fmt::format("{}{} {:.1f}%", baselines.empty() ? "" : ", ", b.name, 100 * b.clip_accuracy);
  if (!baselines.empty()) watcher.line("baselines   clip accuracy: " + baselines);
}

}  // namespace timbre::run
