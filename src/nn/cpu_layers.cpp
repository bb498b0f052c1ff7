#include "nn/cpu_layers.hpp"

#include <algorithm>

#include "nn/sum_cpu.hpp"

namespace timbre::nn {

CpuLayers::CpuLayers(const Parts& parts, std::int64_t capacity)
    : capacity_(capacity), widest_(parts.model->classes()), pool_(*parts.pool) {
  const auto& model = *parts.model;
  const auto add_values = [&](const Shape& shape) {
    values_.emplace_back(std::size_t(capacity * shape.size()));
    sizes_.push_back(shape.size());
  };
  add_values(model.input());
  std::vector<LayerPassed> passed;
  for (const auto& entry : model.layers()) {
    add_values(entry.output);
    widest_ = std::max(widest_, entry.output.size());
    const bool trains = std::any_of(entry.parameters.begin(), entry.parameters.end(), [&](int index) {
      return model.parameters()[std::size_t(index)].spec.trainable;
    });
    passed.push_back(
        {entry.from, entry.other, int(passed.size()) + 1, trains && parts.gradients, entry.other >= 0});
  }
  const auto wanted = wanted_gradients(passed);
  plan_ = plan_backward(passed, wanted);
  for (int i = 2; i < plan_.buffers; ++i) branches_.emplace_back(std::size_t(capacity * widest_));

  for (std::size_t i = 0; i < model.layers().size(); ++i) {
    const auto& entry = model.layers()[i];
    LayerBinding b;
    b.input = entry.input, b.output = entry.output, b.capacity = capacity;
    b.index = int(i), b.pool = parts.pool;
    b.input_gradient = wanted[std::size_t(entry.from)];
    b.logits = i + 1 == model.layers().size();
    b.frozen = entry.frozen;
    b.sink = entry.frozen ? nullptr : parts.sink;
    if (entry.other >= 0) b.other = values_[std::size_t(entry.other)].data();
    masks_.emplace_back(std::size_t(entry.mask == int(i) ? capacity * entry.input[0] : 0));
    if (entry.mask >= 0) b.mask = masks_[std::size_t(entry.mask)].data();
    for (const int index : entry.parameters) {
      const auto& parameter = model.parameters()[std::size_t(index)];
      b.parameters.push_back(parts.arena + parameter.offset);
      if (!parts.gradients) continue;
      if (entry.frozen) {
        b.gradients.push_back(unused_.emplace_back(std::size_t(parameter.spec.shape.size())).data());
        continue;
      }
      b.gradients.push_back(parameter.spec.trainable ? parts.gradients + parameter.offset : nullptr);
    }
    layers_.push_back({make_cpu_op(*entry.layer, b), entry.from});
  }
}

void CpuLayers::forward(const StepContext& context) {
  for (std::size_t i = 0; i < layers_.size(); ++i)
    layers_[i].op->forward(context, values_[std::size_t(layers_[i].from)].data(), values_[i + 1].data());
}

void CpuLayers::backward(const StepContext& context, float* dy, float* spare) {
  std::vector<float*> buffers{dy, spare};
  for (auto& b : branches_) buffers.push_back(b.data());
  const auto buffer = [&](int i) { return i < 0 ? nullptr : buffers[std::size_t(i)]; };
  for (const auto& step : plan_.steps) {
    const auto& [op, from] = layers_[step.layer];
    if (step.copy >= 0)
      std::copy_n(buffer(step.dy), context.rows * sizes_[step.layer + 1], buffer(step.copy));
    if (!step.moves)
      op->backward(context, values_[std::size_t(from)].data(), values_[step.layer + 1].data(),
                   buffer(step.dy), buffer(step.dx));
    if (step.add_to >= 0)
      add_arrays(pool_, context.rows * sizes_[std::size_t(from)], buffer(step.add_to), buffer(step.dx),
                 buffer(step.add_to));
  }
}

}  // namespace timbre::nn
