#include "experiment/scoring.hpp"

#include <chrono>
#include <map>

#include "core/text.hpp"
#include "device/device.hpp"
#include "evaluation/baselines/baselines.hpp"
#include "storage/atomic_file.hpp"

namespace timbre::experiment {

namespace {

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

/// The rows of a part, summarised; as they are stored, whatever the run standardises.
evaluation::Matrix summaries(const data::RowSource& source, const std::vector<std::int32_t>& rows,
                             std::int64_t coefficients, ThreadPool& pool) {
  evaluation::Matrix m{std::int64_t(rows.size()), 2 * coefficients, {}};
  m.values.resize(rows.size() * std::size_t(2 * coefficients));
  source.prefetch(rows);
  const auto pieces = piece_count(m.rows, 64);
  pool.parallel_for(pieces, [&](std::int64_t piece, int) {
    std::vector<float> row(static_cast<std::size_t>(source.width()));
    const auto range = piece_of(m.rows, pieces, piece);
    for (auto i = range.begin; i < range.end; ++i) {
      source.read(rows[std::size_t(i)], row.data());
      evaluation::summarise(row, coefficients,
                            std::span(m.values).subspan(std::size_t(i * m.columns), std::size_t(m.columns)));
    }
  });
  return m;
}

void add_baselines(results::RunRecord& record, const Plan& plan, const data::FeatureSet& features,
                   const data::Split& split, ThreadPool& pool) {
  const auto rows = open_rows(features);
  const auto coefficients = features.shape[1];
  evaluation::BaselineData data{.classes = std::int64_t(plan.clips.label_names.size())};
  data.train = summaries(*rows, split.train, coefficients, pool);
  data.validation = summaries(*rows, split.validation, coefficients, pool);
  data.test = summaries(*rows, split.test, coefficients, pool);
  for (const auto r : split.train) data.train_label.push_back(features.label[std::size_t(r)]);
  for (const auto r : split.validation) {
    data.validation_label.push_back(features.label[std::size_t(r)]);
    data.validation_clip.push_back(features.clip[std::size_t(r)]);
  }
  record.scores.baselines.clear();
  for (auto& b : evaluation::fit_baselines(data, pool))
    record.scores.baselines.push_back(
        results::baseline_record(b.name, std::move(b.probabilities), b.parameters, b.penalty, *record.test));
}

}  // namespace

results::Evaluation evaluate_part(training::TrainingStep& step, const data::FeatureSet& features,
                                  const std::vector<std::int32_t>& rows) {
  const auto scores = step.evaluate(rows);
  std::vector<std::int32_t> label, clip, segment;
  for (const auto r : rows) {
    label.push_back(features.label[std::size_t(r)]);
    clip.push_back(features.clip[std::size_t(r)]);
    segment.push_back(features.segment[std::size_t(r)]);
  }
  std::vector<std::string> paths;
  for (const auto& c : features.clips) paths.push_back(c.path);
  return results::evaluate(scores.probabilities, label, clip, segment, paths);
}

void score_test(results::RunRecord& record, training::TrainingStep& step, const Plan& plan,
                const data::FeatureSet& features, const data::Split& split, results::Look look,
                ThreadPool& pool) {
  record.test = evaluate_part(step, features, split.test);
  add_exposure(*record.test, split, features.clips);
  add_baselines(record, plan, features, split, pool);
  record.scores.looks.push_back(std::move(look));
}

void unseal(const Plan& plan, const RunOptions& options, const results::Look& look) {
  const auto& folder = *options.folder;
  const auto& features = *options.features;
  const auto result = folder / "result.h5";
  const auto seed = std::uint64_t(plan.config.seed);
  const storage::FolderLock lock(folder);
  storage::remove_temporaries(folder);
  auto record = results::read_result(result, true, storage::own_file);
  if (record.test || record.status != "finished" || record.weights.empty()) return;
  const auto split = data::make_split(plan.config.split, features, seed);
  if (folder_key(folder) != record.key || run_key(plan, features) != record.key)
    fail("{}: holds another run than the one that was chosen", printable(folder.string()));
  Console console(folder / "run.log", options.quiet);
  ThreadPool pool(options.threads);
  results::require_fitting(plan.model, record.weights);
  std::vector<float> weights(std::size_t(plan.model.arena_size()));
  results::load_weights(plan.model, record.weights, weights);
  const auto rows = open_rows(features);
  if (!record.feature_mean.empty()) rows->standardise({record.feature_mean, record.feature_std});
  const auto& t = plan.config.training;
  // As the run's own step was, so that the same rows stand in the same batches.
  training::StepOptions wanted{&plan.model,
                               t.loss.loss.get(),
                               t.optimizer.optimizer.get(),
                               t.batch_size,
                               seed,
                               t.optimizer.optimizer->learning_rate()};
  wanted.weights = weights;
  const auto step = training::make_step(record.device, wanted, pool);
  step->bind(*rows, features.label.data());
  score_test(record, *step, plan, features, split, look, pool);
  console.line(fmt::format("test part scored: {}: {}; clip accuracy {:.1f}%", look.by, look.why,
                           100 * record.test->clips.accuracy));
  results::write_result(result, record);
}

}  // namespace timbre::experiment
