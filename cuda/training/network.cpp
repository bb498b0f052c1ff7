#include "cuda/training/network.hpp"

#include <algorithm>
#include <utility>

namespace timbre::cuda {

Network::Network(const NetworkParts& parts, std::int64_t capacity)
    : capacity_(capacity), width_(parts.model->input().size()) {
  const auto& model = *parts.model;
  const auto add_values = [&](const Shape& shape) {
    values_.push_back(arrays_.emplace_back(std::size_t(capacity * shape.size())).data());
  };
  add_values(model.input());
  bool trainable_before = false;
  for (std::size_t i = 0; i < model.layers().size(); ++i) {
    const auto& entry = model.layers()[i];
    CudaBinding b;
    b.input = entry.input, b.output = entry.output, b.capacity = capacity, b.index = int(i);
    b.input_gradient = trainable_before;
    b.logits = i + 1 == model.layers().size();
    b.seed = parts.seed, b.step = parts.step, b.live = parts.live, b.tools = parts.tools;
    widest_ = std::max({widest_, entry.output.size(), trainable_before ? entry.input.size() : 0});
    for (const int index : entry.parameters) {
      const auto& parameter = model.parameters()[std::size_t(index)];
      b.parameters.push_back(parts.arena + parameter.offset);
      const bool trained = parameter.spec.trainable && parts.gradients;
      b.gradients.push_back(trained ? parts.gradients + parameter.offset : nullptr);
      if (trained && !std::exchange(trainable_before, true)) first_trainable_ = i;
    }
    layers_.push_back(make_cuda_layer(entry.layer->options(), b));
    if (layers_.back()->passes_through())
      values_.push_back(values_.back());
    else
      add_values(entry.output);
  }
}

std::vector<std::string> Network::notes() const {
  std::vector<std::string> notes;
  for (const auto& layer : layers_)
    if (auto note = layer->note(); !note.empty()) notes.push_back(std::move(note));
  return notes;
}

void Network::forward(bool training) {
  for (std::size_t i = 0; i < layers_.size(); ++i)
    if (!layers_[i]->passes_through()) layers_[i]->forward(training, values_[i], values_[i + 1]);
}

void Network::backward(float* dy, float* spare) {
  for (std::size_t i = layers_.size(); i-- > first_trainable_;) {
    if (layers_[i]->passes_through()) continue;
    layers_[i]->backward(values_[i], values_[i + 1], dy, spare);
    std::swap(dy, spare);
  }
}

}  // namespace timbre::cuda
