#include "run/trained.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/text.hpp"
#include "features/engine.hpp"

namespace timbre::run {

namespace {

constexpr std::int64_t most_rows = 64;
// Numbers that the layers give out: of the segments at once, and of one alone.
constexpr std::int64_t many_outputs = std::int64_t{1} << 25, most_outputs = std::int64_t{1} << 27;

/// Fewer segments for a network that takes much memory for each, and an error for one that takes too much.
std::int64_t rows_at_once(const nn::Model& model, const std::string& shown) {
  std::int64_t outputs = model.input().size();
  for (const auto& entry : model.layers()) outputs += entry.output.size();
  if (outputs > most_outputs)
    fail("{}: its network takes {} MB for one segment; {} MB is the limit", shown, grouped(outputs / 250'000),
         grouped(most_outputs / 250'000));
  return std::clamp<std::int64_t>(many_outputs / outputs, 1, most_rows);
}

void require_finite(const std::vector<float>& values, const std::string& what) {
  if (!std::all_of(values.begin(), values.end(), [](float v) { return std::isfinite(v); }))
    fail("{} are not all finite numbers: nothing can be predicted with them", what);
}

}  // namespace

std::vector<float> Trained::weights() const {
  std::vector<float> arena(std::size_t(model.arena_size()));
  results::load_weights(model, record.weights, arena);
  return arena;
}

Trained load_trained(const std::filesystem::path& result, const storage::Trust& trust) {
  const auto shown = printable(result.string());
  auto record = results::read_result(result, true, trust);
  auto config = parse_run_config(record.config, shown);
  if (record.weights.empty()) fail("{}: holds no model (its run has {})", shown, printable(record.status));
  const auto cutting = config.dataset.cutting(config.features.sample_rate);
  auto model = nn::Model::parse(config::Reader(config.model.node, "model"),
                                features::feature_shape(config.features, cutting.samples),
                                std::int64_t(record.label_names.size()), config.regularisation);
  data::Standardisation standardisation{record.feature_mean, record.feature_std, model.mask_value()};
  const auto& [mean, deviation, masked] = standardisation;
  if (!mean.empty() && (std::int64_t(mean.size()) != model.input()[1] || deviation.size() != mean.size()))
    fail("{}: its standardisation does not fit its features", shown);
  // Memory is taken for a network of the record's configuration: its weights must be in the file.
  results::require_fitting(model, record.weights);
  for (const auto& tensor : record.weights)
    require_finite(tensor.data, fmt::format("{}: the weights {} of layer {}", shown, printable(tensor.name),
                                            printable(tensor.layer)));
  require_finite(mean, shown + ": the means of its standardisation");
  require_finite(deviation, shown + ": the deviations of its standardisation");
  const auto rows = rows_at_once(model, shown);
  return {std::move(record), std::move(config), cutting, std::move(model), std::move(standardisation), rows};
}

}  // namespace timbre::run
