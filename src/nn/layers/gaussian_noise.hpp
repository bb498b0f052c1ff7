// gaussian_noise: in training y = x + noise, noise normal with mean 0; otherwise y = x. As Keras's GaussianNoise, any shape.
//
// The noise of element e (row-major over [rows, size]) is stddev times normal e % 4 of block e / 4: two pairs by Box and Muller
// (1958) from the words w of philox(seed, stream::dropout + index, step, e / 4):
//   r = sqrt(-2 log((floor(w0 / 256) + 0.5) / 2^24)),  a = 2 pi floor(w1 / 256) / 2^24:  r cos a, r sin a; then w2 and w3
// Errors: RequestError for a negative deviation.
// Source: keras/src/layers/regularization/gaussian_noise.py.
#pragma once

#include "nn/options.hpp"

namespace timbre::nn {

struct GaussianNoiseOptions {
  static constexpr auto part = "gaussian_noise";
  double stddev = 0.1;
};
const config::Schema<GaussianNoiseOptions>& schema(config::of<GaussianNoiseOptions>);

}  // namespace timbre::nn
