// The parts of the work, one by one, on one thread: features of a segment, layers forward and backward, optimizers,
// whole steps. Google Benchmark: --benchmark_filter=..., --benchmark_repetitions=...
#include <benchmark/benchmark.h>

#include "core/gemm.hpp"
#include "features/engine.hpp"
#include "networks.hpp"
#include "nn/layer_op.hpp"

namespace timbre {
namespace {

/// kind: "stacked" is what configs/logistic.yaml stacks.
void features_of_a_segment(benchmark::State& state, const std::string& kind) {
  features::FeatureOptions options;
  options.kind = kind;
  options.n_mfcc = 13;
  if (kind == "stacked") {
    const auto root = config::load_file(TIMBRE_SOURCE_DIR "/configs/logistic.yaml");
    options = features::FeatureOptions::from(config::Reader(*root.find("features")));
    options.summary.reset();
  }
  const auto engine = features::make_cpu_feature_engine(options, 66150);
  std::vector<float> x(66150), y(std::size_t(engine->shape().size()));
  PhiloxSequence random(1, stream::synthetic);
  for (auto& v : x) v = float(random.normal() * 0.1);
  for (auto _ : state) engine->compute(x.data(), 1, y.data());
}

// Layers as they stand in the three networks: input shape and options.
void layer(benchmark::State& state, const std::string& yaml, const Shape& input, bool backward) {
  const auto node = config::parse_text(yaml, "benchmark", ".");
  const auto choice = config::Reader(node).choice("layer", nn::LayerRegistry::instance().names());
  const auto part = nn::LayerRegistry::instance().find(choice.name)->parse(choice.options(), 10);
  ThreadPool pool(1);
  nn::LayerBinding b;
  b.input = input, b.output = part->infer(input), b.capacity = 20, b.pool = &pool;
  std::vector<std::vector<float>> parameters, gradients;
  PhiloxSequence random(1, stream::synthetic);
  const auto noise = [&](std::int64_t n, double scale) {
    std::vector<float> v(static_cast<std::size_t>(n));
    for (auto& e : v) e = float(random.normal() * scale);
    return v;
  };
  for (const auto& spec : part->parameters(input)) {
    parameters.push_back(noise(spec.shape.size(), 0.05)), gradients.push_back(parameters.back());
    b.parameters.push_back(parameters.back().data());
    b.gradients.push_back(spec.trainable ? gradients.back().data() : nullptr);
  }
  const auto op = nn::make_cpu_op(*part, b);
  const auto x = noise(20 * input.size(), 1);
  std::vector<float> y(std::size_t(20 * b.output.size())), dx(x.size());
  const auto dy = noise(20 * b.output.size(), 1);
  auto work = dy;
  const nn::StepContext context{20, true, 1, 0};
  op->forward(context, x.data(), y.data());
  for (auto _ : state) {
    if (backward)
      work = dy, op->backward(context, x.data(), y.data(), work.data(), dx.data());
    else
      op->forward(context, x.data(), y.data());
  }
}

void optimizer(benchmark::State& state, const std::string& name) {
  const auto node = config::Node::plain(name);
  const auto o = training::OptimizerChoice::from(node);
  const std::size_t n = 1 << 20;
  std::vector<float> p(n, 0.1f), g(n, 0.01f), a(n), b(n);
  std::int64_t t = 0;
  for (auto _ : state) o->update({std::int64_t(n), p.data(), g.data(), {a.data(), b.data()}, {}, 1e-3, ++t});
  state.SetBytesProcessed(state.iterations() * std::int64_t(n) * 4 * (3 + 2 * o->slots()));
}

void step(benchmark::State& state, const std::string& name, std::int64_t batch) {
  static const benchmarks::Data data(benchmarks::input_of("lstm"));  // of mlp and cnn, too
  benchmarks::Network network(TIMBRE_SOURCE_DIR "/configs", name, "cpu", batch, 1, data, 1);
  for (auto _ : state) network.train(1);
}

void product(benchmark::State& state) {
  const std::int64_t n = state.range(0);
  std::vector<float> a(std::size_t(n * n), 0.5f), b = a, c = a;
  for (auto _ : state) gemm(Op::none, Op::none, n, n, n, a.data(), n, b.data(), n, Store::set, c.data(), n);
  state.counters["FLOP/s"] =
      benchmark::Counter(2.0 * double(n * n * n) * double(state.iterations()), benchmark::Counter::kIsRate);
}

BENCHMARK(product)->Arg(128)->Arg(512)->Unit(benchmark::kMillisecond);

const int registered = [] {
  auto kinds = features::FeatureRegistry::instance().names();
  kinds.push_back("stacked");
  for (const auto& kind : kinds)
    benchmark::RegisterBenchmark(("features/" + kind).c_str(), [=](benchmark::State& s) {
      features_of_a_segment(s, kind);
    })->Unit(benchmark::kMillisecond);
  const std::vector<std::pair<std::string, Shape>> layers{
      {"lstm: {units: 128, return_sequences: true}", {130, 13}},
      {"lstm: {units: 128}", {130, 128}},
      {"dense: {units: 512, activation: relu}", {1690}},
      {"conv2d: {filters: 32, kernel_size: 3, activation: relu}", {130, 13, 1}},
      {"conv2d: {filters: 32, kernel_size: 3, activation: relu}", {64, 6, 32}},
      {"max_pooling2d: {pool_size: 3, strides: 2, padding: same}", {128, 11, 32}},
      {"batch_normalization", {64, 6, 32}},
      {"dropout: 0.3", {64, 6, 32}}};
  for (const auto& [yaml, input] : layers)
    for (const bool backward : {false, true})
      benchmark::RegisterBenchmark(
          (std::string(backward ? "backward/" : "forward/") + yaml + " on " + input.str()).c_str(),
          [=, yaml = yaml, input = input](benchmark::State& s) { layer(s, yaml, input, backward); })
          ->Unit(benchmark::kMillisecond);
  for (const auto& name : training::OptimizerRegistry::instance().names())
    benchmark::RegisterBenchmark(("optimizer/" + name).c_str(), [=](benchmark::State& s) {
      optimizer(s, name);
    })->Unit(benchmark::kMillisecond);
  for (const std::string name : {"mlp", "cnn", "lstm"})
    for (const std::int64_t batch : {20, 256})
      benchmark::RegisterBenchmark(fmt::format("step/{}/{}", name, batch).c_str(), [=](benchmark::State& s) {
        step(s, name, batch);
      })->Unit(benchmark::kMillisecond);
  return 0;
}();

}  // namespace
}  // namespace timbre
