// max_pooling2d: the largest value under a window, per channel, as Keras's MaxPooling2D, channels last.
//
//   x (H, W, C) or (T, F), read as (T, F, 1)     y (H', W', C), H' and W' as in window.hpp
//   y[p, c] = max over the window of x[., c]      dx[q, c] = sum of dy[p, c] over windows p whose maximum is q
//
// Padding counts as minus infinity. Of equal values the first of the window (row by row) is the maximum, as in
// TensorFlow; a NaN is larger than everything, so that it is seen. Training keeps the maximum's place, 16 bits
// per output.
// Errors: RequestError for an input that is no picture, for a window larger than it without padding, and for more than
// 65536 places in a window.
// Source: keras/src/layers/pooling/max_pooling2d.py.
#pragma once

#include <optional>
#include <string>

#include "nn/layers/window.hpp"
#include "nn/options.hpp"

namespace timbre::nn {

struct MaxPooling2DOptions {
  static constexpr auto part = "max_pooling2d";
  Extent2D pool_size{2, 2};
  std::optional<Extent2D> strides;
  std::string padding = "valid";
};
const config::Schema<MaxPooling2DOptions>& schema(config::of<MaxPooling2DOptions>);

/// The places of its window on an input. Throws RequestError as window_over does.
Window2D window_of(const MaxPooling2DOptions& options, const Shape& input);

}  // namespace timbre::nn
