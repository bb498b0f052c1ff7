// permute: the axes in another order, as Keras's Permute: axis i of the output is axis dims[i] of the input, counted from 1.
//   permute: [2, 1] makes (F, T) of (T, F).
// Errors: RequestError where dims is no order of the input's axes.
// Source: keras/src/layers/reshaping/permute.py.
#pragma once

#include <cstdint>
#include <vector>

#include "core/shape.hpp"
#include "nn/options.hpp"

namespace timbre::nn {

struct PermuteOptions {
  static constexpr auto part = "permute";
  std::vector<std::int64_t> dims;
};
const config::Schema<PermuteOptions>& schema(config::of<PermuteOptions>);

/// [size] For each value of the output, where it lies in the input. Sizes are below 2^31 (nn/model.cpp).
std::vector<std::int32_t> sources_of(const PermuteOptions& options, const Shape& input);

}  // namespace timbre::nn
