// reshape: the same values in another shape, as Keras's Reshape: any shape to target_shape, of which one extent may be -1 and
// follows from the others.
// Errors: RequestError for a shape of another size, and for more than one -1.
// Source: keras/src/layers/reshaping/reshape.py.
#pragma once

#include <cstdint>
#include <vector>

#include "nn/options.hpp"

namespace timbre::nn {

struct ReshapeOptions {
  static constexpr auto part = "reshape";
  std::vector<std::int64_t> target_shape;
};
const config::Schema<ReshapeOptions>& schema(config::of<ReshapeOptions>);

}  // namespace timbre::nn
