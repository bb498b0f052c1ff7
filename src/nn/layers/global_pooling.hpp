// Poolings over the whole of a sequence or a picture, per channel, as Keras's layers of the same names:
//
//   global_average_pooling1d, global_max_pooling1d   x (T, F)      y (F)   over t
//   global_average_pooling2d, global_max_pooling2d   x (H, W, C)   y (C)   over h and w; (T, F) is read as (T, F, 1)
//
//   average   y[c] = sum over the n places of x[p, c] / n     dx[p, c] = dy[c] / n
//             global_average_pooling1d: over the steps that are not masked (nn/layers/masking.hpp), and 0 where all are (Keras
//             divides 0 by 0)
//   max       y[c] = max over the places of x[p, c]           dx[p, c] = dy[c] at the first place of the maximum
// Equal maxima: Keras on TensorFlow shares dy between them; here, as in max_pooling2d, the first has it. A NaN is larger than
// everything. Errors: RequestError for an input of another rank.
// Source: keras/src/layers/pooling/global_average_pooling1d.py and its like.
#pragma once

#include <cstdint>

#include "core/shape.hpp"
#include "nn/options.hpp"

namespace timbre::nn {

struct GlobalAveragePooling1DOptions {
  static constexpr auto part = "global_average_pooling1d";
  static constexpr bool largest = false, pictures = false;
};
struct GlobalMaxPooling1DOptions {
  static constexpr auto part = "global_max_pooling1d";
  static constexpr bool largest = true, pictures = false;
};
struct GlobalAveragePooling2DOptions {
  static constexpr auto part = "global_average_pooling2d";
  static constexpr bool largest = false, pictures = true;
};
struct GlobalMaxPooling2DOptions {
  static constexpr auto part = "global_max_pooling2d";
  static constexpr bool largest = true, pictures = true;
};
const config::Schema<GlobalAveragePooling1DOptions>& schema(config::of<GlobalAveragePooling1DOptions>);
const config::Schema<GlobalMaxPooling1DOptions>& schema(config::of<GlobalMaxPooling1DOptions>);
const config::Schema<GlobalAveragePooling2DOptions>& schema(config::of<GlobalAveragePooling2DOptions>);
const config::Schema<GlobalMaxPooling2DOptions>& schema(config::of<GlobalMaxPooling2DOptions>);

}  // namespace timbre::nn
