// activation: y = f(x), element by element; softmax over the last axis. As Keras's Activation, any shape.
// Errors: RequestError for an input of rank 0, or an unknown function.
// Source: keras/src/layers/activations/activation.py.
#pragma once

#include <string>

#include "nn/options.hpp"

namespace timbre::nn {

struct ActivationOptions {
  static constexpr auto part = "activation";
  std::string activation;
};
const config::Schema<ActivationOptions>& schema(config::of<ActivationOptions>);

}  // namespace timbre::nn
