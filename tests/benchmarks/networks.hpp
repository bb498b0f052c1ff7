// The three networks of configs/ on 13 MFCCs and ten classes, with data that need no files.
#pragma once

#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include "config/schema.hpp"
#include "core/philox.hpp"
#include "training/step.hpp"

namespace timbre::benchmarks {

struct Network {
  std::unique_ptr<nn::Model> model;
  std::unique_ptr<training::Loss> loss;
  std::unique_ptr<training::Optimizer> optimizer;
  std::vector<float> x;
  std::vector<std::int32_t> y, rows;
  std::unique_ptr<data::MemoryRows> source;
  std::unique_ptr<training::TrainingStep> step;

  Network(const std::string& name, std::int64_t batch, ThreadPool& pool) {
    const auto config = config::load_file(std::string(TIMBRE_SOURCE_DIR "/configs/") + name + ".yaml");
    model = std::make_unique<nn::Model>(nn::Model::parse(config::Reader(config).entry("model"), Shape{130, 13}, 10, {}));
    const auto loss_name = config::Node::plain("cross_entropy"), optimizer_name = config::Node::plain("adam");
    loss = training::parse_loss(loss_name);
    optimizer = training::parse_optimizer(optimizer_name);
    PhiloxSequence random(1, stream::synthetic);
    x.resize(std::size_t(batch * model->input().size()));
    for (auto& v : x) v = float(random.normal());
    for (std::int64_t i = 0; i < batch; ++i) y.push_back(std::int32_t(i % 10)), rows.push_back(std::int32_t(i));
    step = training::make_cpu_step({model.get(), loss.get(), optimizer.get(), batch, 1, 1e-3}, pool);
    source = std::make_unique<data::MemoryRows>(x.data(), batch, model->input().size());
    step->bind(*source, y.data());
  }
};

}  // namespace timbre::benchmarks
