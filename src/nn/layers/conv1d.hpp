// conv1d: filters that slide along a sequence, as Keras's Conv1D: y = activation(x * W + b).
//
//   x (T, F)     kernel (k, F, filters)     bias (filters)     y (T', filters), T' as in window.hpp
//   z[t, f] = b[f] + sum over i, c of x[t stride - before + i, c] W[i, c, f]
// It is conv2d over a picture of one column (sequence_as_picture.hpp). No causal padding and no dilation.
// Errors: RequestError for an input that is no sequence, and for a kernel longer than it without padding.
// Source: keras/src/layers/convolutional/conv1d.py.
#pragma once

#include "nn/layers/conv2d.hpp"

namespace timbre::nn {

struct Conv1DOptions {
  static constexpr auto part = "conv1d";
  std::int64_t filters = 0, kernel_size = 1, strides = 1;
  std::string padding = "valid", activation = "linear";
  bool use_bias = true;
  std::optional<Penalty> kernel_regulariser;
};
const config::Schema<Conv1DOptions>& schema(config::of<Conv1DOptions>);

/// The same over a picture of one column.
inline Conv2DOptions over_picture(const Conv1DOptions& o) {
  return {.filters = o.filters,
          .kernel_size = {o.kernel_size, 1},
          .strides = {o.strides, 1},
          .padding = o.padding,
          .activation = o.activation,
          .use_bias = o.use_bias,
          .kernel_regulariser = o.kernel_regulariser};
}

}  // namespace timbre::nn
