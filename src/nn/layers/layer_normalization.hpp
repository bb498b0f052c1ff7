// layer_normalization over the last axis, as Keras's LayerNormalization.
//
//   x [rows, ..., C]     gamma (C), beta (C)
//   y = gamma xhat + beta,  xhat = (x - mean) / sd,  sd = sqrt(variance + epsilon), over the C values of each place (biased)
//   dbeta = sum dy     dgamma = sum dy xhat     g = dy gamma     dx = (g - mean(g) - xhat mean(g xhat)) / sd
// Training and prediction do the same: a row needs no other. Sums over C are doubles.
// Errors: RequestError for an input of rank 0.
// Source: Ba, Kiros and Hinton 2016; keras/src/layers/normalization/layer_normalization.py.
#pragma once

#include "nn/options.hpp"

namespace timbre::nn {

struct LayerNormalizationOptions {
  static constexpr auto part = "layer_normalization";
  double epsilon = 1e-3;
  bool center = true, scale = true;
};
const config::Schema<LayerNormalizationOptions>& schema(config::of<LayerNormalizationOptions>);

}  // namespace timbre::nn
