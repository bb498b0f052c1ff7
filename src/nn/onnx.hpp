// The part of an ONNX graph that a layer adds: operators and constants as data. A layer declares its mapping in its own
// file, as it does Keras's (Layer::to_onnx). exchange/onnx.hpp writes the file.
//
// Operators are those of opset 17. The first axis of every array is the batch, whose size is not fixed; what follows has
// Timbre's shapes (channels last).
// Source: https://github.com/onnx/onnx/blob/v1.12.0/docs/Operators.md.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "core/shape.hpp"

namespace timbre::nn {

struct OnnxAttribute {
  std::string name;
  std::variant<std::int64_t, float, std::string, std::vector<std::int64_t>> value;
};

struct OnnxNode {
  std::string name, op;
  std::vector<std::string> inputs, outputs;  // "" stands for an optional one that is left out
  std::vector<OnnxAttribute> attributes;
};

/// A constant: float32, or int64 where `integers` holds its values.
struct OnnxTensor {
  std::string name;
  Shape shape;  // rank 0: a scalar
  std::vector<float> floats;
  std::vector<std::int64_t> integers;
};

/// Grows by one operator after another, in the order of computation.
class OnnxGraph {
 public:
  /// Names of what is added from now on begin with this.
  void scope(std::string name) { scope_ = std::move(name); }
  /// Adds an operator, and returns the name of its output. `output`: which of its outputs is wanted.
  std::string add(const std::string& op, std::vector<std::string> inputs,
                  std::vector<OnnxAttribute> attributes = {}, int output = 0);
  std::string constant(const std::string& name, const Shape& shape, std::vector<float> values);
  std::string number(const std::string& name, float value) { return constant(name, {}, {value}); }
  std::string integers(const std::string& name, std::vector<std::int64_t> values);
  std::string integer(const std::string& name, std::int64_t value);
  /// The function of `name` (nn/activation.hpp) over the last axis of x; x itself where it is linear.
  std::string activation(const std::string& name, const std::string& x);

  const std::vector<OnnxNode>& nodes() const { return nodes_; }
  const std::vector<OnnxTensor>& tensors() const { return tensors_; }

 private:
  std::string named(const std::string& what);
  std::string scope_;
  std::vector<OnnxNode> nodes_;
  std::vector<OnnxTensor> tensors_;
};

/// x with one of its axes turned round.
std::string onnx_reversed(OnnxGraph& graph, const std::string& x, std::int64_t axis);

/// What a layer is given, and the graph that it adds to.
struct OnnxPlace {
  OnnxGraph& graph;
  std::string x;                                // the array it gets, [batch, input...]
  Shape input, output;                          // without the batch
  std::vector<std::span<const float>> weights;  // in the order of its parameters
  std::string other = {};                       // of a layer that ends a block: its second input
  std::string mask =
      {};  // of a sequence with a mask: float32 [batch, T], 1 where a step counts; masking sets it
};

}  // namespace timbre::nn
