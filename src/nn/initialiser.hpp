// Initial values of parameters, as Keras defines them.
//
//   glorot_uniform    U(-a, a), a = sqrt(6 / (fan_in + fan_out)); for a convolution both fans count the window
//   orthogonal        rows or columns orthonormal: Q of the QR decomposition of a normal matrix, R's diagonal > 0
//   unit_forget_bias  zeros, ones in the second quarter (the forget gate of i f c o)
//
// Source: Keras, initializers/random_initializers.py. Numbers come from (seed, stream::initialiser, index).
#pragma once

#include <cstdint>
#include <span>

#include "nn/layer.hpp"

namespace timbre::nn {

/// Fills `values` (spec.shape.size() floats). `index` numbers the parameters of a model.
void initialise(const ParameterSpec& spec, std::uint64_t seed, std::uint32_t index, std::span<float> values);

}  // namespace timbre::nn
