#include "run/predictor.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <utility>

#include "core/aligned.hpp"
#include "core/error.hpp"
#include "core/text.hpp"
#include "data/feature_store.hpp"
#include "data/standardise.hpp"
#include "features/engine.hpp"
#include "nn/cpu_layers.hpp"
#include "nn/network.hpp"
#include "run/trained.hpp"

namespace timbre::run {

using Consume = std::function<void(std::span<const float> rows, std::int64_t first)>;

struct Predictor::State {
  Trained trained;
  std::unique_ptr<nn::Network> network;
  std::unique_ptr<features::FeatureEngine> engine;
  data::SegmentBuffers buffers;
  AlignedFloats arena;                    // for embeddings
  std::unique_ptr<nn::CpuLayers> layers;  // where they are asked for
  std::size_t layer = 0;
  ThreadPool& pool;

  State(Trained t, const std::string& device, ThreadPool& threads) : trained(std::move(t)), pool(threads) {
    for (auto& name : trained.record.label_names) name = printable(name);
    const auto& features = trained.config.features;
    if (features.external)
      fail_request("the model takes no audio, but {}; evaluate RESULT --data TABLE scores it on such a table",
                   features::needs(*features.external));
    const auto weights = trained.weights();
    network = nn::make_network(
        device, {.model = &trained.model, .weights = weights, .rows_at_once = trained.rows_at_once}, pool);
    engine = features::open_features(device, features, trained.cutting.samples)();
  }
  Prediction predict(const std::function<std::pair<std::int64_t, std::int64_t>(const Consume&)>& extract);
};

Predictor::Predictor(const std::filesystem::path& result, ThreadPool& pool, const std::string& device,
                     const storage::Trust& trust)
    : state_(std::make_unique<State>(load_trained(result, trust), device, pool)) {}
Predictor::~Predictor() = default;
const std::vector<std::string>& Predictor::label_names() const { return state_->trained.record.label_names; }
double Predictor::start_seconds(std::int64_t segment) const {
  const auto& t = state_->trained;
  return double(t.cutting.start(segment)) / t.config.features.sample_rate;
}
Shape Predictor::embed(const std::string& layer) {
  auto& s = *state_;
  const auto& layers = s.trained.model.layers();
  std::vector<std::string> names;
  for (const auto& entry : layers) names.push_back(entry.name);
  auto found = std::size_t(std::find(names.begin(), names.end(), layer) - names.begin());
  if (found == names.size() && !layer.empty() && layer.find_first_not_of("0123456789") == layer.npos &&
      layer.size() < 9)
    found = std::size_t(std::stoul(layer));
  if (found >= names.size())
    fail_request("the network has no layer '{}'{}; its layers: {}", printable(layer),
                 did_you_mean(layer, names), join(names));
  const auto weights = s.trained.weights();
  s.arena = AlignedFloats(weights.begin(), weights.end());
  s.layers = std::make_unique<nn::CpuLayers>(
      nn::CpuLayers::Parts{.model = &s.trained.model, .arena = s.arena.data(), .pool = &s.pool},
      s.trained.rows_at_once);
  s.layer = found;
  return layers[found].output;
}
bool Predictor::synthetic() const { return state_->trained.record.synthetic; }

int Predictor::sample_rate() const { return state_->trained.config.features.sample_rate; }

Prediction Predictor::predict(const std::filesystem::path& audio) {
  auto& s = *state_;
  return s.predict([&](const Consume& consume) {
    std::int64_t samples = 0;
    const auto count = data::extract_file(audio::AudioReader(audio, sample_rate()), *s.engine,
                                          s.trained.cutting, s.buffers, consume, &samples);
    return std::pair(count, samples);
  });
}

Prediction Predictor::predict(std::span<const float> samples) {
  auto& s = *state_;
  if (!std::all_of(samples.begin(), samples.end(), [](float v) { return std::isfinite(v); }))
    fail("contains NaN or infinite samples");
  return s.predict([&](const Consume& consume) {
    const auto count = data::extract_samples(samples, *s.engine, s.trained.cutting, s.buffers, consume);
    return std::pair(count, std::ssize(samples));
  });
}

/// `extract` hands features over in batches, and returns how many segments and samples there were.
Prediction Predictor::State::predict(
    const std::function<std::pair<std::int64_t, std::int64_t>(const Consume&)>& extract) {
  const auto& t = trained;
  const auto classes = t.model.classes(), width = t.model.input().size();
  Prediction p;
  // The network takes many segments at once, the features few: rows wait until there are enough.
  std::vector<float> rows;
  const auto evaluate = [&] {
    const auto n = std::int64_t(rows.size()) / width;
    if (n == 0) return;
    if (!t.standardisation.mean.empty()) data::standardise_frames(t.standardisation, rows);
    const auto done = p.segments.size();
    p.segments.resize(done + std::size_t(n * classes));
    network->predict(rows.data(), n, p.segments.data() + done);
    if (layers)
      for (std::int64_t first = 0; first < n; first += layers->capacity()) {
        const auto some = std::min(n - first, layers->capacity());
        std::copy_n(rows.data() + first * width, some * width, layers->input());
        layers->forward({.rows = some});
        const auto* out = layers->output(layer);
        p.embeddings.insert(p.embeddings.end(), out, out + some * t.model.layers()[layer].output.size());
      }
    rows.clear();
  };
  const auto [count, samples] = extract([&](std::span<const float> batch, std::int64_t) {
    rows.insert(rows.end(), batch.begin(), batch.end());
    if (std::int64_t(rows.size()) >= t.rows_at_once * width) evaluate();
  });
  p.count = count;
  evaluate();
  p.seconds = double(samples) / t.config.features.sample_rate;
  if (p.count == 0)
    fail("shorter than one segment of {} s: {:.2f} s", number_text(t.config.dataset.segment_seconds),
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
