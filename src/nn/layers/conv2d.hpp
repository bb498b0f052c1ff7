// conv2d: y = activation(x * W + b), the cross-correlation of Keras's Conv2D, channels last.
//
//   x (H, W, C) or (T, F), read as (T, F, 1)     kernel (kh, kw, C, filters)     bias (filters)
//   y (H', W', filters)       H' and W' as in window.hpp
//   z[p, f] = b[f] + sum over i, j, c of x[p's window at i, j, c] W[i, j, c, f]
//   dz = dy activation'(z)    dW = sum over p of window(p) dz[p]    db = sum dz    dx = windows of dz W^T, added
// Errors: RequestError for an input that is no picture, and for a kernel larger than it without padding.
// Source: keras/src/layers/convolutional/conv2d.py.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "nn/layers/window.hpp"
#include "nn/options.hpp"

namespace timbre::nn {

struct Conv2DOptions {
  static constexpr auto part = "conv2d";
  std::int64_t filters = 0;
  Extent2D kernel_size, strides;
  std::string padding = "valid", activation = "linear";
  bool use_bias = true;
  std::optional<Penalty> kernel_regulariser;
};
const config::Schema<Conv2DOptions>& schema(config::of<Conv2DOptions>);

/// The places of its window on an input. Throws RequestError as window_over does.
Window2D window_of(const Conv2DOptions& options, const Shape& input);

}  // namespace timbre::nn
