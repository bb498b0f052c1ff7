// How many training steps per second each device takes: training_speed [ROUNDS] writes a JSON array to
// stdout.
//
// The three networks of configs/ on 13 MFCCs (130 frames) and ten classes, Adam, batches of 20 rows of 2000
// that lie in memory; and on an accelerator four runs of the LSTM side by side, too, each on a thread of its
// own. A round is 100 steps (20 on the CPU) and the wait for their metrics, after one that does not count;
// devices take turns within a round; the median counts. Uploading the data is not in it.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <thread>

#include "core/philox.hpp"
#include "device/device.hpp"
#include "training/step.hpp"

namespace {

using namespace timbre;

constexpr std::int64_t rows = 2000, batch = 20, classes = 10;
const Shape input{130, 13};

struct Network {
  const char *name, *model;
};
constexpr Network networks[] = {
    {"mlp",
     "[flatten, dense: {units: 512, activation: relu}, dense: {units: 256, activation: relu}, "
     "dense: {units: 64, activation: relu}, dense: {units: classes, activation: softmax}]"},
    {"cnn",
     "[conv2d: {filters: 32, kernel_size: 3, activation: relu}, max_pooling2d: {pool_size: 3, strides: 2, "
     "padding: same}, "
     "batch_normalization, conv2d: {filters: 32, kernel_size: 3, activation: relu}, "
     "max_pooling2d: {pool_size: 3, strides: 2, padding: same}, batch_normalization, "
     "conv2d: {filters: 32, kernel_size: 2, activation: relu}, max_pooling2d: {pool_size: 2, strides: 2, "
     "padding: same}, "
     "batch_normalization, flatten, dense: {units: 64, activation: relu}, dropout: 0.3, "
     "dense: {units: classes, activation: softmax}]"},
    {"lstm",
     "[lstm: {units: 128, return_sequences: true}, lstm: {units: 128}, dropout: 0.2, dense: {units: 64, "
     "activation: relu}, "
     "dropout: 0.3, dense: {units: 32, activation: relu}, dropout: 0.3, dense: {units: classes, activation: "
     "softmax}]"}};

/// What every step reads.
struct Data {
  Data() {
    PhiloxSequence random(1, stream::synthetic);
    for (std::int64_t i = 0; i < rows * input.size(); ++i) x.push_back(float(random.normal()));
    for (std::int64_t r = 0; r < rows; ++r) labels.push_back(std::int32_t(r % classes));
  }
  std::vector<float> x;
  std::vector<std::int32_t> labels;
};

/// One run.
struct Run {
  Run(const Network& network, const std::string& device, const Data& data, std::uint64_t seed,
      ThreadPool& pool)
      : node(config::parse_text(network.model, network.name, ".")),
        model(nn::Model::parse(config::Reader(node, "model"), input, classes, {})),
        loss(training::parse_loss(config::Node::plain("cross_entropy"))),
        optimizer(training::parse_optimizer(config::Node::plain("adam"))),
        source(data.x.data(), rows, input.size()),
        step(training::make_step(device, {&model, loss.get(), optimizer.get(), batch, seed, 1e-3}, pool)) {
    step->bind(source, data.labels.data());
  }
  void train(int steps) {
    std::vector<std::int32_t> indices(std::size_t(batch), 0);
    for (int s = 0; s < steps; ++s) {
      for (auto& i : indices) i = std::int32_t((next += 37) % rows);
      step->train(indices);
    }
    step->metrics(true);
  }
  config::Node node;
  nn::Model model;
  std::unique_ptr<training::Loss> loss;
  std::unique_ptr<training::Optimizer> optimizer;
  data::MemoryRows source;
  std::unique_ptr<training::TrainingStep> step;
  std::int64_t next = 0;
};

struct Case {
  const Network* network;
  std::string device;
  std::vector<std::unique_ptr<Run>> runs;
  std::vector<double> rates = {};

  /// Steps per second of all runs together.
  double rate() {
    const int steps = device == "cpu" ? 20 : 100;
    const auto start = std::chrono::steady_clock::now();
    std::vector<std::thread> threads;
    for (std::size_t r = 1; r < runs.size(); ++r) threads.emplace_back([&, r] { runs[r]->train(steps); });
    runs[0]->train(steps);
    for (auto& t : threads) t.join();
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    return double(steps) * double(runs.size()) / seconds.count();
  }
};

}  // namespace

int main(int argc, char** argv) {
  const int rounds = argc > 1 ? std::max(1, std::atoi(argv[1])) : 9;
  std::vector<std::string> devices{"cpu"};
  if (const auto choice = device::choose("auto"); choice.name != "cpu")
    devices.push_back(choice.name);
  else
    std::fprintf(stderr, "%s\n", choice.notice.c_str());
  const Data data;
  ThreadPool pool(0);
  std::vector<Case> cases;
  for (const auto& network : networks)
    for (const auto& device : devices)
      for (const std::size_t side_by_side : {1, 4}) {
        if (side_by_side > 1 && (device == "cpu" || network.name != std::string("lstm"))) continue;
        auto& c = cases.emplace_back(Case{&network, device, {}});
        for (std::size_t r = 0; r < side_by_side; ++r)
          c.runs.push_back(std::make_unique<Run>(network, device, data, r, pool));
        for (const auto& note : c.runs[0]->step->notes()) std::fprintf(stderr, "%s\n", note.c_str());
      }
  for (int round = 0; round <= rounds; ++round)
    for (auto& c : cases)
      if (const double rate = c.rate(); round > 0) c.rates.push_back(rate);

  auto result = nlohmann::ordered_json::array();
  for (auto& c : cases) {
    std::sort(c.rates.begin(), c.rates.end());
    result.push_back({{"network", c.network->name},
                      {"device", c.device},
                      {"runs", c.runs.size()},
                      {"steps_per_second", c.rates[c.rates.size() / 2]},
                      {"slowest", c.rates.front()},
                      {"fastest", c.rates.back()},
                      {"rounds", rounds}});
  }
  std::printf("%s\n", result.dump(1).c_str());
}
