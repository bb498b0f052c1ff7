#include "experiment/predictor.hpp"

#include <algorithm>
#include <numeric>

#include "core/text.hpp"
#include "data/feature_store.hpp"
#include "data/standardise.hpp"
#include "experiment/run_config.hpp"
#include "features/engine.hpp"
#include "results/run_record.hpp"
#include "training/step.hpp"

namespace timbre::experiment {

namespace {
constexpr std::int64_t segments_at_once = 64;
}

struct Predictor::State {
  results::RunRecord record;
  RunConfig config;
  std::int64_t segment_samples;
  nn::Model model;
  ThreadPool& pool;
  data::Standardisation standardisation;
  std::unique_ptr<training::TrainingStep> step;
  std::unique_ptr<features::FeatureEngine> engine;
  data::SegmentBuffers buffers;

  State(const std::filesystem::path& path, ThreadPool& threads, const std::string& device)
      : record(results::read_result(path)),
        config(parse_run_config(record.config, path.string())),
        segment_samples(config.dataset.segment_samples(config.features.sample_rate)),
        model(nn::Model::parse(config::Reader(config.model.node, "model"),
                               features::feature_shape(config.features, segment_samples),
                               std::int64_t(record.label_names.size()), config.regularisation)),
        pool(threads),
        standardisation{record.feature_mean, record.feature_std} {
    if (record.weights.empty()) fail("{}: holds no model (its run has {})", path.string(), record.status);
    if (!standardisation.mean.empty() && (std::int64_t(standardisation.mean.size()) != model.input()[1] ||
                                          standardisation.std.size() != standardisation.mean.size()))
      fail("{}: its standardisation does not fit its features", path.string());
    const auto& t = config.training;
    std::vector<float> weights(std::size_t(model.arena_size()));
    results::load_weights(model, record.weights, weights);
    step = training::make_step(
        device, {&model, t.loss.loss.get(), t.optimizer.optimizer.get(), segments_at_once, 0, 0, weights}, pool);
    engine = features::open_features(device, config.features, segment_samples)();
  }
};

Predictor::Predictor(const std::filesystem::path& result, ThreadPool& pool, const std::string& device)
    : state_(std::make_unique<State>(result, pool, device)) {}
Predictor::~Predictor() = default;
const std::vector<std::string>& Predictor::label_names() const { return state_->record.label_names; }
double Predictor::segment_seconds() const { return state_->config.dataset.segment_seconds; }
bool Predictor::synthetic() const { return state_->record.synthetic; }

Prediction Predictor::predict(const std::filesystem::path& audio) {
  auto& s = *state_;
  const auto classes = s.model.classes(), width = s.model.input().size();
  Prediction p;
  std::vector<std::int32_t> index, labels;
  std::int64_t samples = 0;
  // The network takes many segments at once, the features few: rows wait until there are enough.
  std::vector<float> rows;
  const auto evaluate = [&] {
    const auto n = std::int64_t(rows.size()) / width;
    if (n == 0) return;
    index.resize(std::size_t(n)), labels.assign(std::size_t(n), 0);
    std::iota(index.begin(), index.end(), 0);
    data::MemoryRows source(rows.data(), n, width);
    source.standardise(s.standardisation);
    s.step->bind(source, labels.data());
    const auto scores = s.step->evaluate(index);
    p.segments.insert(p.segments.end(), scores.probabilities.begin(), scores.probabilities.end());
    rows.clear();
  };
  p.count = data::extract_file(
      audio::AudioReader(audio, s.config.features.sample_rate), *s.engine, s.segment_samples, s.buffers,
      [&](std::span<const float> batch, std::int64_t) {
        rows.insert(rows.end(), batch.begin(), batch.end());
        if (std::int64_t(rows.size()) >= segments_at_once * width) evaluate();
      },
      &samples);
  evaluate();
  p.seconds = double(samples) / s.config.features.sample_rate;
  if (p.count == 0)
    fail("shorter than one segment of {} s: {:.2f} s", number_text(segment_seconds()), p.seconds);
  std::vector<double> sum(std::size_t(classes), 0.0);
  for (std::size_t i = 0; i < p.segments.size(); ++i) sum[i % std::size_t(classes)] += double(p.segments[i]);
  for (const double v : sum) p.probabilities.push_back(float(v / double(p.count)));
  p.best = std::int32_t(std::max_element(p.probabilities.begin(), p.probabilities.end()) -
                        p.probabilities.begin());
  return p;
}

}  // namespace timbre::experiment
