#include "run/scoring.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/text.hpp"
#include "device/device.hpp"
#include "evaluation/baselines/baselines.hpp"
#include "nn/network.hpp"
#include "run/log.hpp"
#include "run/prepare.hpp"
#include "run/record.hpp"
#include "storage/atomic_file.hpp"
#include "storage/claim.hpp"

namespace timbre::run {

namespace {

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
    record.scores.baselines.push_back(results::baseline_record(std::move(b), *record.test));
}

}  // namespace

std::vector<float> predict_rows(const results::RunRecord& record, const nn::Model& model,
                                const data::FeatureSet& features, const std::vector<std::int32_t>& which,
                                const std::string& device, ThreadPool& pool, std::int64_t at_once) {
  results::require_fitting(model, record.weights);
  std::vector<float> weights(std::size_t(model.arena_size()));
  results::load_weights(model, record.weights, weights);
  const auto rows = open_rows(features);
  if (!record.feature_mean.empty()) rows->standardise({record.feature_mean, record.feature_std});
  // A row has the same bytes alone and in any batch: these are the probabilities that the run's own step would have given.
  const auto network =
      nn::make_network(device, {.model = &model, .weights = weights, .rows_at_once = at_once}, pool);
  const auto width = std::size_t(rows->width()), classes = std::size_t(model.classes());
  std::vector<float> x, probabilities(which.size() * classes);
  for (std::size_t first = 0; first < which.size(); first += std::size_t(at_once)) {
    const auto count = std::min(which.size() - first, std::size_t(at_once));
    x.resize(count * width);
    for (std::size_t i = 0; i < count; ++i) rows->read(which[first + i], x.data() + i * width);
    network->predict(x.data(), std::int64_t(count), probabilities.data() + first * classes);
  }
  return probabilities;
}

void score_test(results::RunRecord& record, results::Evaluation test, const Plan& plan,
                const data::FeatureSet& features, const data::Split& split, results::Look look,
                ThreadPool& pool) {
  record.test = std::move(test);
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
  if (folder_key(folder) != record.key || run_key(plan, features, split) != record.key)
    fail("{}: holds another run than the one that was chosen", printable(folder.string()));
  Watcher nobody;
  Log log(folder / "run.log", nobody);
  ThreadPool pool(options.threads);
  // The result's own device: another would give other last bits. Where it is not there, choose() says so in one line.
  const auto probabilities =
      predict_rows(record, plan.model, features, split.test, device::choose(record.device).name, pool);
  score_test(record, evaluation_of(probabilities, features, split.test), plan, features, split, look, pool);
  log.line(fmt::format("test part scored: {}: {}; clip accuracy {:.1f}%", look.by, look.why,
                       100 * record.test->clips.accuracy));
  results::write_result(result, record);
}

}  // namespace timbre::run
