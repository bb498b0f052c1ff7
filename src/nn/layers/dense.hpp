// dense: y = activation(x W + b) over the last axis, as Keras's Dense.
//
//   x [..., in]   W kernel (in, units)   b bias (units)   y [..., units]
//   dz = dy * activation'(z)   dW = x^T dz   db = sum dz   dx = dz W^T
//
// An input (N,) is one row per example, (T, F) is T rows. As the last layer of a model (binding.logits) the
// softmax is left to the loss.
// Errors: RequestError for an input of another rank.
// Source: keras/src/layers/core/dense.py.
#pragma once

#include <optional>
#include <string>

#include "nn/options.hpp"

namespace timbre::nn {

struct DenseOptions {
  static constexpr auto part = "dense";
  Units units;
  std::string activation = "linear";
  bool use_bias = true;
  std::optional<Penalty> kernel_regulariser;
};
const config::Schema<DenseOptions>& schema(config::of<DenseOptions>);

}  // namespace timbre::nn
