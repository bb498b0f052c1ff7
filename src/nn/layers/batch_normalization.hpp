// batch_normalization over the last axis, as Keras's BatchNormalization.
//
//   x [rows, ..., C] seen as [N, C]     gamma, beta, moving_mean, moving_variance (C)
//   y = gamma (x - mean) / sqrt(variance + epsilon) + beta
//   training: mean and variance of the N values (biased), and moving = momentum moving + (1 - momentum) batch
//   otherwise: the moving ones
//   frozen: the moving ones in training, too; they stay what they are, and dx = gamma / sd dy
//   dbeta = sum dy     dgamma = sum dy xhat     dx = gamma / sd (dy - dbeta / N - xhat dgamma / N)
// Errors: RequestError for an input of rank 0.
// Source: Ioffe and Szegedy 2015; keras/src/layers/normalization/batch_normalization.py.
#pragma once

#include "nn/options.hpp"

namespace timbre::nn {

struct BatchNormalizationOptions {
  static constexpr auto part = "batch_normalization";
  double momentum = 0.99, epsilon = 1e-3;
  bool center = true, scale = true;
};
const config::Schema<BatchNormalizationOptions>& schema(config::of<BatchNormalizationOptions>);

}  // namespace timbre::nn
