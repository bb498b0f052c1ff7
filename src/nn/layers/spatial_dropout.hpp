// spatial_dropout1d, spatial_dropout2d: dropout of whole channels, as Keras's layers of the same names.
//
//   1d   x (T, F): one mask a row and coefficient, for all steps      2d   x (H, W, C): one a row and channel, for all places
//   training: y = x * mask, mask = 1 / (1 - rate) with probability 1 - rate, else 0; otherwise y = x
//
// The mask of channel e (row-major over [rows, C]) comes from word e % 4 of philox(seed, stream::dropout + index, step, e / 4),
// as dropout's of element e (dropout.hpp).
// Errors: RequestError for a rate that is not in [0, 1), and for an input of another rank.
// Source: Tompson et al. 2015; keras/src/layers/regularization/spatial_dropout.py.
#pragma once

#include "nn/options.hpp"

namespace timbre::nn {

struct SpatialDropout1DOptions {
  static constexpr auto part = "spatial_dropout1d";
  static constexpr std::size_t rank = 2;
  double rate = 0.5;
};
struct SpatialDropout2DOptions {
  static constexpr auto part = "spatial_dropout2d";
  static constexpr std::size_t rank = 3;
  double rate = 0.5;
};
const config::Schema<SpatialDropout1DOptions>& schema(config::of<SpatialDropout1DOptions>);
const config::Schema<SpatialDropout2DOptions>& schema(config::of<SpatialDropout2DOptions>);

}  // namespace timbre::nn
