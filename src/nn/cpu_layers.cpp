#include "nn/cpu_layers.hpp"

#include <algorithm>
#include <utility>

namespace timbre::nn {

CpuLayers::CpuLayers(const Parts& parts, std::int64_t capacity)
    : capacity_(capacity), widest_(parts.model->classes()) {
  const auto& model = *parts.model;
  values_.emplace_back(std::size_t(capacity * model.input().size()));
  bool trainable_before = false;
  for (std::size_t i = 0; i < model.layers().size(); ++i) {
    const auto& entry = model.layers()[i];
    LayerBinding b;
    b.input = entry.input, b.output = entry.output, b.capacity = capacity;
    b.index = int(i), b.pool = parts.pool;
    b.input_gradient = trainable_before;
    b.logits = i + 1 == model.layers().size();
    b.frozen = entry.frozen;
    b.sink = entry.frozen ? nullptr : parts.sink;
    for (const int index : entry.parameters) {
      const auto& parameter = model.parameters()[std::size_t(index)];
      b.parameters.push_back(parts.arena + parameter.offset);
      if (!parts.gradients) continue;
      if (entry.frozen) {
        b.gradients.push_back(unused_.emplace_back(std::size_t(parameter.spec.shape.size())).data());
        continue;
      }
      b.gradients.push_back(parameter.spec.trainable ? parts.gradients + parameter.offset : nullptr);
      if (parameter.spec.trainable && !std::exchange(trainable_before, true)) first_trainable_ = i;
    }
    ops_.push_back(make_cpu_op(*entry.layer, b));
    values_.emplace_back(std::size_t(capacity * entry.output.size()));
    widest_ = std::max(widest_, entry.output.size());
  }
}

void CpuLayers::forward(const StepContext& context) {
  for (std::size_t i = 0; i < ops_.size(); ++i)
    ops_[i]->forward(context, values_[i].data(), values_[i + 1].data());
}

void CpuLayers::backward(const StepContext& context, float* dy, float* spare) {
  for (std::size_t i = ops_.size(); i-- > first_trainable_;) {
    ops_[i]->backward(context, values_[i].data(), values_[i + 1].data(), dy, spare);
    std::swap(dy, spare);
  }
}

}  // namespace timbre::nn
