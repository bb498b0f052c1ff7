#include "cuda/training/network.hpp"

#include <algorithm>
#include <span>
#include <utility>

#include "cuda/layers/lstm_joined.hpp"

namespace timbre::cuda {

CudaBinding Network::binding(const NetworkParts& parts, std::size_t i, bool trainable_before) {
  const auto& entry = parts.model->layers()[i];
  CudaBinding b;
  b.frozen = entry.frozen;
  b.input = entry.input, b.output = entry.output, b.capacity = capacity_, b.index = int(i);
  b.trained = parts.gradients != nullptr, b.input_gradient = trainable_before;
  b.logits = i + 1 == parts.model->layers().size();
  b.seed = parts.seed, b.step = parts.step, b.live = parts.live, b.tools = parts.tools;
  for (const int index : entry.parameters) {
    const auto& parameter = parts.model->parameters()[std::size_t(index)];
    b.parameters.push_back(parts.arena + parameter.offset);
    if (entry.frozen && parts.gradients) {
      b.gradients.push_back(arrays_.emplace_back(std::size_t(parameter.spec.shape.size())).data());
      continue;
    }
    b.gradients.push_back(parameter.spec.trainable && parts.gradients ? parts.gradients + parameter.offset
                                                                      : nullptr);
  }
  return b;
}

Network::Network(const NetworkParts& parts, std::int64_t capacity)
    : capacity_(capacity), width_(parts.model->input().size()) {
  const std::span<const nn::Model::Entry> layers = parts.model->layers();
  const auto add_values = [&](const Shape& shape) {
    values_.push_back(arrays_.emplace_back(std::size_t(capacity * shape.size())).data());
  };
  add_values(parts.model->input());
  bool trainable_before = false;
  for (std::size_t i = 0; i < layers.size();) {
    const auto joined = layers.subspan(i, joined_layers(layers.subspan(i)));
    std::vector<CudaBinding> bindings;
    for (const auto& entry : joined) {
      bindings.push_back(binding(parts, i + bindings.size(), trainable_before));
      widest_ = std::max({widest_, entry.output.size(), trainable_before ? entry.input.size() : 0});
    }
    layers_.push_back({joined.size() > 1 ? make_joined(joined, bindings)
                                         : make_cuda_layer(joined[0].layer->options(), bindings[0]),
                       i, joined.size()});
    for (const auto& b : bindings)
      for (const auto* gradient : b.gradients)
        if (gradient && !b.frozen && !std::exchange(trainable_before, true))
          first_trainable_ = layers_.size() - 1;
    i += joined.size();
    if (layers_.back().layer->passes_through()) {
      values_.push_back(values_.back());
    } else {
      values_.resize(i, nullptr);
      add_values(joined.back().output);
    }
  }
}

std::vector<const DeviceArray<std::int32_t>*> Network::generators() const {
  std::vector<const DeviceArray<std::int32_t>*> all;
  for (const auto& placed : layers_)
    if (const auto* states = placed.layer->generator()) all.push_back(states);
  return all;
}

std::vector<std::string> Network::notes() const {
  std::vector<std::string> notes;
  for (const auto& placed : layers_)
    if (auto note = placed.layer->note(); !note.empty()) notes.push_back(std::move(note));
  return notes;
}

void Network::forward(bool training) {
  for (const auto& [layer, first, count] : layers_)
    if (!layer->passes_through()) layer->forward(training, values_[first], values_[first + count]);
}

void Network::backward(float* dy, float* spare) {
  for (std::size_t i = layers_.size(); i-- > first_trainable_;) {
    const auto& [layer, first, count] = layers_[i];
    if (layer->passes_through()) continue;
    layer->backward(values_[first], values_[first + count], dy, spare);
    std::swap(dy, spare);
  }
}

}  // namespace timbre::cuda
