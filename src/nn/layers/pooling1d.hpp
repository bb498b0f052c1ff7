// Poolings under a window that slides along a sequence, per coefficient, as Keras's layers of the same names:
//
//   x (T, F)     y (T', F), T' as in window.hpp
//   max_pooling1d       y[t, c] = max over the window of x[., c]
//   average_pooling1d   y[t, c] = the mean over the window of x[., c]
// Each is its pooling of pictures (`Over`) over a picture of one column (sequence_as_picture.hpp).
// Errors: RequestError for an input that is no sequence, and for a window longer than it without padding.
// Source: keras/src/layers/pooling/max_pooling1d.py, average_pooling1d.py.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <type_traits>

#include "nn/layers/average_pooling2d.hpp"
#include "nn/layers/max_pooling2d.hpp"

namespace timbre::nn {

template <class PoolingOver>
struct Pooling1DOptions {
  using Over = PoolingOver;
  static constexpr bool largest = std::is_same_v<Over, MaxPooling2DOptions>;
  static constexpr auto part = largest ? "max_pooling1d" : "average_pooling1d";
  std::int64_t pool_size = 2;
  std::optional<std::int64_t> strides;  // pool_size where empty
  std::string padding = "valid";
};
using MaxPooling1DOptions = Pooling1DOptions<MaxPooling2DOptions>;
using AveragePooling1DOptions = Pooling1DOptions<AveragePooling2DOptions>;
const config::Schema<MaxPooling1DOptions>& schema(config::of<MaxPooling1DOptions>);
const config::Schema<AveragePooling1DOptions>& schema(config::of<AveragePooling1DOptions>);

/// The same over a picture of one column.
template <class Options>
typename Options::Over over_picture(const Options& o) {
  return {.pool_size = {o.pool_size, 1},
          .strides = Extent2D{o.strides.value_or(o.pool_size), 1},
          .padding = o.padding};
}

}  // namespace timbre::nn
