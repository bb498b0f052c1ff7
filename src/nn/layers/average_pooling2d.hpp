// average_pooling2d: the mean under a window, per channel, as Keras's AveragePooling2D, channels last.
//
//   x (H, W, C) or (T, F), read as (T, F, 1)     y (H', W', C), H' and W' as in window.hpp
//   y[p, c] = sum over the window of x[., c] / n(p)      dx[q, c] = sum of dy[p, c] / n(p) over windows p that hold q
//
// n(p) is the number of places of the window inside the picture: padding does not count.
// Errors: RequestError for an input that is no picture, and for a window larger than it without padding.
// Source: keras/src/layers/pooling/average_pooling2d.py.
#pragma once

#include <optional>
#include <string>

#include "nn/layers/window.hpp"
#include "nn/options.hpp"

namespace timbre::nn {

struct AveragePooling2DOptions {
  static constexpr auto part = "average_pooling2d";
  Extent2D pool_size{2, 2};
  std::optional<Extent2D> strides;
  std::string padding = "valid";
};
const config::Schema<AveragePooling2DOptions>& schema(config::of<AveragePooling2DOptions>);

/// The places of its window on an input. Throws RequestError as window_over does.
Window2D window_of(const AveragePooling2DOptions& options, const Shape& input);

}  // namespace timbre::nn
