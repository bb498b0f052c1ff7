#include "run/predictor.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/text.hpp"
#include "data/feature_store.hpp"
#include "data/standardise.hpp"
#include "features/engine.hpp"
#include "nn/network.hpp"
#include "results/run_record.hpp"
#include "run/run_config.hpp"

namespace timbre::run {

namespace {

constexpr std::int64_t most_segments = 64;
// Numbers that the layers give out: of the segments at once, and of one alone.
constexpr std::int64_t many_outputs = std::int64_t{1} << 25, most_outputs = std::int64_t{1} << 27;

/// Fewer segments for a network that takes much memory for each, and an error for one that takes too much.
std::int64_t segments_at_once(const nn::Model& model, const std::string& shown) {
  std::int64_t outputs = model.input().size();
  for (const auto& entry : model.layers()) outputs += entry.output.size();
  if (outputs > most_outputs)
    fail("{}: its network takes {} MB for one segment, which is more than predict gives it ({} MB)", shown,
         grouped(outputs / 250'000), grouped(most_outputs / 250'000));
  return std::clamp<std::int64_t>(many_outputs / outputs, 1, most_segments);
}

void require_finite(const std::vector<float>& values, const std::string& what) {
  if (!std::all_of(values.begin(), values.end(), [](float v) { return std::isfinite(v); }))
    fail("{} are not all finite numbers: nothing can be predicted with them", what);
}

}  // namespace

struct Predictor::State {
  results::RunRecord record;
  RunConfig config;
  data::Cutting cutting;
  nn::Model model;
  ThreadPool& pool;
  data::Standardisation standardisation;
  std::unique_ptr<nn::Network> network;
  std::unique_ptr<features::FeatureEngine> engine;
  data::SegmentBuffers buffers;
  std::int64_t at_once;  // segments that the network takes together

  State(const std::filesystem::path& path, ThreadPool& threads, const std::string& device,
        const storage::Trust& trust)
      : record(results::read_result(path, true, trust)),
        config(parse_run_config(record.config, printable(path.string()))),
        cutting(config.dataset.cutting(config.features.sample_rate)),
        model(nn::Model::parse(config::Reader(config.model.node, "model"),
                               features::feature_shape(config.features, cutting.samples),
                               std::int64_t(record.label_names.size()), config.regularisation)),
        pool(threads),
        standardisation{record.feature_mean, record.feature_std} {
    const auto shown = printable(path.string());
    if (record.weights.empty()) fail("{}: holds no model (its run has {})", shown, printable(record.status));
    if (!standardisation.mean.empty() && (std::int64_t(standardisation.mean.size()) != model.input()[1] ||
                                          standardisation.std.size() != standardisation.mean.size()))
      fail("{}: its standardisation does not fit its features", shown);
    // Memory is taken for a network of the record's configuration: its weights must be in the file.
    results::require_fitting(model, record.weights);
    for (const auto& tensor : record.weights)
      require_finite(tensor.data, fmt::format("{}: the weights {} of layer {}", shown, printable(tensor.name),
                                              printable(tensor.layer)));
    require_finite(standardisation.mean, shown + ": the means of its standardisation");
    require_finite(standardisation.std, shown + ": the deviations of its standardisation");
    for (auto& name : record.label_names) name = printable(name);
    std::vector<float> weights(std::size_t(model.arena_size()));
    results::load_weights(model, record.weights, weights);
    at_once = segments_at_once(model, shown);
    network = nn::make_network(device, {.model = &model, .weights = weights, .rows_at_once = at_once}, pool);
    engine = features::open_features(device, config.features, cutting.samples)();
  }
};

Predictor::Predictor(const std::filesystem::path& result, ThreadPool& pool, const std::string& device,
                     const storage::Trust& trust)
    : state_(std::make_unique<State>(result, pool, device, trust)) {}
Predictor::~Predictor() = default;
const std::vector<std::string>& Predictor::label_names() const { return state_->record.label_names; }
double Predictor::start_seconds(std::int64_t segment) const {
  return double(state_->cutting.start(segment)) / state_->config.features.sample_rate;
}
bool Predictor::synthetic() const { return state_->record.synthetic; }

Prediction Predictor::predict(const std::filesystem::path& audio) {
  auto& s = *state_;
  const auto classes = s.model.classes(), width = s.model.input().size();
  Prediction p;
  std::int64_t samples = 0;
  // The network takes many segments at once, the features few: rows wait until there are enough.
  std::vector<float> rows;
  const auto evaluate = [&] {
    const auto n = std::int64_t(rows.size()) / width;
    if (n == 0) return;
    if (!s.standardisation.mean.empty()) data::standardise_frames(s.standardisation, rows);
    const auto done = p.segments.size();
    p.segments.resize(done + std::size_t(n * classes));
    s.network->predict(rows.data(), n, p.segments.data() + done);
    rows.clear();
  };
  p.count = data::extract_file(
      audio::AudioReader(audio, s.config.features.sample_rate), *s.engine, s.cutting, s.buffers,
      [&](std::span<const float> batch, std::int64_t) {
        rows.insert(rows.end(), batch.begin(), batch.end());
        if (std::int64_t(rows.size()) >= s.at_once * width) evaluate();
      },
      &samples);
  evaluate();
  p.seconds = double(samples) / s.config.features.sample_rate;
  if (p.count == 0)
    fail("shorter than one segment of {} s: {:.2f} s", number_text(s.config.dataset.segment_seconds),
         p.seconds);
  std::vector<double> sum(std::size_t(classes), 0.0);
  for (std::size_t i = 0; i < p.segments.size(); ++i) sum[i % std::size_t(classes)] += double(p.segments[i]);
  for (const double v : sum) p.probabilities.push_back(float(v / double(p.count)));
  if (!std::isfinite(std::accumulate(sum.begin(), sum.end(), 0.0)))
    fail("the network gives it no probabilities (NaN): its weights are of no use");
  p.best = std::int32_t(std::max_element(p.probabilities.begin(), p.probabilities.end()) -
                        p.probabilities.begin());
  return p;
}

}  // namespace timbre::run
