// Networks of configs/ on 13 MFCCs (the CRNN on 64 mel bands) and ten classes, with data that need no files; and `conv1d`, of
// 1-D convolutions, which no configuration has.
#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "config/schema.hpp"
#include "core/philox.hpp"
#include "training/step.hpp"

namespace timbre::benchmarks {

inline constexpr std::int64_t classes = 10, row_count = 2000;
inline Shape input_of(const std::string& name) { return {130, name == "crnn" ? 64 : 13}; }
inline constexpr const char* conv1d =
    "[conv1d: {filters: 64, kernel_size: 5, padding: same, activation: relu}, max_pooling1d, conv1d: "
    "{filters: 64, "
    "kernel_size: 5, padding: same, activation: relu}, max_pooling1d, conv1d: {filters: 64, kernel_size: 5, "
    "padding: same, "
    "activation: relu}, global_average_pooling1d, dense: {units: 64, activation: relu}, dense: {units: "
    "classes, activation: "
    "softmax}]";

/// Rows that lie in memory, for every network of an input.
struct Data {
  explicit Data(const Shape& input) {
    PhiloxSequence random(1, stream::synthetic);
    for (std::int64_t i = 0; i < row_count * input.size(); ++i) x.push_back(float(random.normal()));
    for (std::int64_t r = 0; r < row_count; ++r) labels.push_back(std::int32_t(r % classes));
  }
  std::vector<float> x;
  std::vector<std::int32_t> labels;
};

/// The model of FOLDER/NAME.yaml, or `conv1d`.
inline nn::Model model_of(const std::string& folder, const std::string& name) {
  const auto config = name == "conv1d" ? config::parse_text(std::string("model: ") + conv1d, name, ".")
                                       : config::load_file(folder + "/" + name + ".yaml");
  return nn::Model::parse(config::Reader(config).entry("model"), input_of(name), classes, {});
}

/// One run: a training step with Adam on a device. Every step takes other rows.
class Network {
 public:
  Network(const std::string& folder, const std::string& name, const std::string& device, std::int64_t batch,
          std::uint64_t seed, const Data& data, int threads)
      : pool_(threads),
        model_(model_of(folder, name)),
        loss_("cross_entropy"),
        optimizer_("adam"),
        source_(data.x.data(), row_count, model_.input().size()),
        rows_(std::size_t(batch)),
        step_(training::make_step(device, {&model_, loss_.get(), optimizer_.get(), batch, seed}, pool_)) {
    step_->bind(source_, data.labels.data());
  }

  /// `steps` of them, and the wait for their end.
  void train(int steps) {
    for (int s = 0; s < steps; ++s) {
      for (auto& r : rows_) r = std::int32_t((next_ += 37) % row_count);
      step_->train(rows_);
    }
    step_->metrics(true);
  }
  std::vector<std::string> notes() { return step_->notes(); }

 private:
  ThreadPool pool_;
  nn::Model model_;
  training::LossChoice loss_;
  training::OptimizerChoice optimizer_;
  data::MemoryRows source_;
  std::vector<std::int32_t> rows_;
  std::unique_ptr<training::TrainingStep> step_;
  std::int64_t next_ = 0;
};

}  // namespace timbre::benchmarks
