// dropout: in training y = x * mask, mask = 1 / (1 - rate) with probability 1 - rate, else 0; otherwise y = x.
//
// The mask of element e (row-major over [rows, size]) comes from word e % 4 of
// philox(seed, stream::dropout + index, step, e / 4): kept where uniform_float(word) >= rate. It is made again
// in backward instead of being stored.
// Errors: RequestError for a rate that is not in [0, 1).
// Source: Srivastava et al. 2014; keras/src/layers/regularization/dropout.py.
#pragma once

#include "nn/options.hpp"

namespace timbre::nn {

struct DropoutOptions {
  static constexpr auto part = "dropout";
  double rate = 0.5;
};
const config::Schema<DropoutOptions>& schema(config::of<DropoutOptions>);

}  // namespace timbre::nn
