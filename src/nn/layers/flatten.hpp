// flatten: (a, b, ...) -> (a * b * ...), the data in the order it lies in (H, W, C), as Keras's Flatten.
// Errors: none. Source: keras/src/layers/reshaping/flatten.py.
#pragma once

#include "nn/options.hpp"

namespace timbre::nn {

struct FlattenOptions {
  static constexpr auto part = "flatten";
};
const config::Schema<FlattenOptions>& schema(config::of<FlattenOptions>);

}  // namespace timbre::nn
