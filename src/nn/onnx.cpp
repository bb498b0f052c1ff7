#include "nn/onnx.hpp"

#include <utility>

#include "nn/activation.hpp"

namespace timbre::nn {

std::string OnnxGraph::named(const std::string& what) {
  return (scope_.empty() ? "" : scope_ + "/") + what + "_" + std::to_string(nodes_.size() + tensors_.size());
}

std::string OnnxGraph::add(const std::string& op, std::vector<std::string> inputs,
                           std::vector<OnnxAttribute> attributes, int output) {
  OnnxNode node{named(op), op, std::move(inputs), {}, std::move(attributes)};
  for (int i = 0; i <= output; ++i) node.outputs.push_back(node.name + ":" + std::to_string(i));
  nodes_.push_back(std::move(node));
  return nodes_.back().outputs.back();
}

std::string OnnxGraph::constant(const std::string& name, const Shape& shape, std::vector<float> values) {
  tensors_.push_back({named(name), shape, std::move(values), {}});
  return tensors_.back().name;
}

std::string OnnxGraph::integers(const std::string& name, std::vector<std::int64_t> values) {
  const Shape shape{std::int64_t(values.size())};
  tensors_.push_back({named(name), shape, {}, std::move(values)});
  return tensors_.back().name;
}

std::string OnnxGraph::integer(const std::string& name, std::int64_t value) {
  tensors_.push_back({named(name), {}, {}, {value}});
  return tensors_.back().name;
}

std::string OnnxGraph::activation(const std::string& name, const std::string& x) {
  switch (activation_of(name)) {
    case Activation::linear:
      return x;
    case Activation::relu:
      return add("Relu", {x});
    case Activation::sigmoid:
      return add("Sigmoid", {x});
    case Activation::tanh:
      return add("Tanh", {x});
    case Activation::elu:
      return add("Elu", {x}, {{"alpha", 1.0f}});
    case Activation::softmax:
      return add("Softmax", {x}, {{"axis", std::int64_t{-1}}});
    case Activation::leaky_relu:
      return add("LeakyRelu", {x}, {{"alpha", 0.2f}});
    case Activation::selu:
      return add("Selu", {x}, {{"alpha", Selu::alpha}, {"gamma", Selu::scale}});
    case Activation::silu:
      return add("Mul", {x, add("Sigmoid", {x})});
    case Activation::gelu: {
      const auto erf = add("Erf", {add("Mul", {x, number("root_half", 0.70710678f)})});
      return add("Mul", {add("Mul", {x, number("half", 0.5f)}), add("Add", {erf, number("one", 1.0f)})});
    }
  }
  return x;
}

std::string onnx_reversed(OnnxGraph& g, const std::string& x, std::int64_t axis) {
  return g.add("Slice", {x, g.integers("from", {-1}), g.integers("to", {INT64_MIN}),
                         g.integers("axis", {axis}), g.integers("step", {-1})});
}

}  // namespace timbre::nn
