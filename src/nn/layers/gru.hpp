// gru: gated recurrent unit over a sequence, as Keras's GRU with reset_after (its default, and cuDNN's form).
//
//   x [T, F]   kernel W (F, 3u)   recurrent_kernel R (u, 3u)   bias (2, 3u): b of x W, then c of h R   gates in the order z, r, h
//   z = sigmoid(x Wz + bz + h Rz + cz)     r = sigmoid(x Wr + br + h Rr + cr)
//   n = tanh(x Wh + bh + r (h Rh + ch))    h' = z h + (1 - z) n
//   y [T, u] with return_sequences, else the last h [u]; the first h is zero. go_backwards processes the sequence from its end;
//   its output is in the order of processing.
// Errors: RequestError for an input that is no sequence, and for reset_after: false, which no device here computes.
// Source: Cho et al. 2014; keras/src/layers/rnn/gru.py.
#pragma once

#include <optional>

#include "nn/options.hpp"

namespace timbre::nn {

struct GruOptions {
  static constexpr auto part = "gru";
  Units units;
  bool return_sequences = false, go_backwards = false, use_bias = true, reset_after = true;
  std::optional<Penalty> kernel_regulariser, recurrent_regulariser;
};
const config::Schema<GruOptions>& schema(config::of<GruOptions>);

}  // namespace timbre::nn
