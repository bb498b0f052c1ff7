// average_pooling1d: the mean under a window that slides along a sequence, per coefficient, as Keras's AveragePooling1D.
//
//   x (T, F)     y (T', F), T' as in window.hpp     y[t, c] = the mean over the window of x[., c]
// It is average_pooling2d over a picture of one column (sequence_as_picture.hpp).
// Errors: RequestError for an input that is no sequence, and for a window longer than it without padding.
// Source: keras/src/layers/pooling/average_pooling1d.py.
#pragma once

#include <cstdint>

#include "nn/layers/average_pooling2d.hpp"

namespace timbre::nn {

struct AveragePooling1DOptions {
  static constexpr auto part = "average_pooling1d";
  std::int64_t pool_size = 2;
  std::optional<std::int64_t> strides;
  std::string padding = "valid";
};
const config::Schema<AveragePooling1DOptions>& schema(config::of<AveragePooling1DOptions>);

/// The same over a picture of one column.
inline AveragePooling2DOptions over_picture(const AveragePooling1DOptions& o) {
  return {.pool_size = {o.pool_size, 1},
          .strides = Extent2D{o.strides.value_or(o.pool_size), 1},
          .padding = o.padding};
}

}  // namespace timbre::nn
