#include "cuda/training/network.hpp"

#include <algorithm>
#include <span>

#include "cuda/layers/lstm_joined.hpp"
#include "cuda/layers/residual.hpp"

namespace timbre::cuda {

CudaBinding Network::binding(const NetworkParts& parts, std::size_t i, bool input_gradient) {
  const auto& entry = parts.model->layers()[i];
  CudaBinding b;
  b.frozen = entry.frozen;
  b.input = entry.input, b.output = entry.output, b.capacity = capacity_, b.index = int(i);
  b.trained = parts.gradients != nullptr, b.input_gradient = input_gradient;
  b.logits = i + 1 == parts.model->layers().size();
  b.seed = parts.seed, b.step = parts.step, b.live = parts.live, b.tools = parts.tools;
  if (entry.other >= 0) b.other = values_[std::size_t(entry.other)];
  if (entry.mask >= 0) b.mask = masks_[std::size_t(entry.mask)].data();
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
    : stream_(parts.tools->stream), capacity_(capacity), width_(parts.model->input().size()) {
  const std::span<const nn::Model::Entry> layers = parts.model->layers();
  const auto add_values = [&](const Shape& shape) {
    values_.push_back(arrays_.emplace_back(std::size_t(capacity * shape.size())).data());
  };
  add_values(parts.model->input());
  std::vector<nn::LayerPassed> passed, placed;  // all layers, and those that are computed as one
  sizes_.push_back(width_);
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const auto& entry = layers[i];
    const bool trains = std::any_of(entry.parameters.begin(), entry.parameters.end(), [&](int index) {
      return parts.gradients && parts.model->parameters()[std::size_t(index)].spec.trainable;
    });
    passed.push_back({entry.from, entry.other, int(i) + 1, trains});
    masks_.emplace_back(std::size_t(entry.mask == int(i) ? capacity * entry.input[0] : 0));
    sizes_.push_back(entry.output.size());
  }
  const auto wanted = nn::wanted_gradients(passed);
  for (std::size_t i = 0; i < layers.size();) {
    const auto joined = layers.subspan(i, joined_layers(layers.subspan(i)));
    std::vector<CudaBinding> bindings;
    auto one = passed[i];
    for (const auto& entry : joined) {
      const bool input_gradient = wanted[std::size_t(entry.from)];
      one.to = int(i + bindings.size()) + 1;
      bindings.push_back(binding(parts, i + bindings.size(), input_gradient));
      widest_ = std::max({widest_, entry.output.size(), input_gradient ? entry.input.size() : 0});
    }
    const auto from = std::size_t(joined[0].from);
    layers_.push_back({joined.size() > 1 ? make_joined(joined, bindings)
                                         : make_cuda_layer(joined[0].layer->options(), bindings[0]),
                       i, joined.size(), from});
    i += joined.size();
    one.moves = layers_.back().layer->passes_through() || one.other >= 0;
    placed.push_back(one);
    if (layers_.back().layer->passes_through()) {
      values_.push_back(values_[from]);
    } else {
      values_.resize(i, nullptr);
      add_values(joined.back().output);
    }
  }
  plan_ = nn::plan_backward(placed, wanted);
  for (int k = 2; k < plan_.buffers; ++k) branches_.emplace_back(std::size_t(capacity * widest_));
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
  for (const auto& [layer, first, count, from] : layers_)
    if (!layer->passes_through()) layer->forward(training, values_[from], values_[first + count]);
}

void Network::backward(float* dy, float* spare) {
  std::vector<float*> buffers{dy, spare};
  for (const auto& b : branches_) buffers.push_back(b.data());
  const auto buffer = [&](int i) { return i < 0 ? nullptr : buffers[std::size_t(i)]; };
  for (const auto& step : plan_.steps) {
    const auto& [layer, first, count, from] = layers_[step.layer];
    const auto to = first + count;
    if (step.copy >= 0)
      copy_on_device(buffer(step.dy), buffer(step.copy), std::size_t(capacity_ * sizes_[to]), stream_);
    if (!step.moves) layer->backward(values_[from], values_[to], buffer(step.dy), buffer(step.dx));
    if (step.add_to >= 0)
      add_arrays(stream_, buffer(step.add_to), buffer(step.dx), buffer(step.add_to),
                 capacity_ * sizes_[from]);
  }
}

}  // namespace timbre::cuda
