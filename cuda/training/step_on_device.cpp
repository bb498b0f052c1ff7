// The training step and the network that the back end hands out: each on its device (cuda/support/on_device.hpp).
#include "cuda/plugin.hpp"
#include "cuda/support/on_device.hpp"
#include "cuda/training/cuda_step.hpp"

namespace timbre::cuda {
namespace {

class Step final : public training::TrainingStep {
 public:
  template <class Make>
  Step(int number, Make make) : step_(number, make) {}
  void bind(const data::RowSource& features, const std::int32_t* labels) override {
    step_->bind(features, labels);
  }
  void set_learning_rate(double rate) override { step_->set_learning_rate(rate); }
  void train(std::span<const std::int32_t> rows) override { step_->train(rows); }
  void prefetch(std::span<const std::int32_t> rows) override { step_->prefetch(rows); }
  training::Metrics metrics(bool reset) override { return step_->metrics(reset); }
  Scores evaluate(std::span<const std::int32_t> rows) override { return step_->evaluate(rows); }
  double penalty() override { return step_->penalty(); }
  training::StepState export_state() override { return step_->export_state(); }
  std::vector<float> export_weights() override { return step_->export_weights(); }
  void import_state(const training::StepState& state) override { step_->import_state(state); }
  Trace trace(std::int64_t rows) override { return step_->trace(rows); }
  std::vector<std::string> notes() override { return step_->notes(); }

 private:
  OnDevice<training::TrainingStep> step_;
};

class Network final : public nn::Network {
 public:
  template <class Make>
  Network(int number, Make make) : network_(number, make) {}
  void predict(const float* x, std::int64_t rows, float* probabilities) override {
    network_->predict(x, rows, probabilities);
  }
  std::vector<std::string> notes() override { return network_->notes(); }

 private:
  OnDevice<nn::Network> network_;
};

}  // namespace

std::unique_ptr<training::TrainingStep> make_step(int number, const training::StepOptions& options,
                                                  ThreadPool&) {
  return std::make_unique<Step>(number, [&] { return make_cuda_step(device_name(number), options); });
}

std::unique_ptr<nn::Network> make_network(int number, const nn::NetworkOptions& options, ThreadPool&) {
  return std::make_unique<Network>(number, [&] { return make_cuda_network(options); });
}

}  // namespace timbre::cuda
