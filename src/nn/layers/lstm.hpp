// lstm: long short-term memory over a sequence, as Keras's LSTM (tanh, sigmoid, zero initial state).
//
//   x [T, F]   kernel W (F, 4u)   recurrent_kernel R (u, 4u)   bias (4u)   gates in the order i, f, c, o
//   y [T, u] with return_sequences, else the last h [u]. go_backwards processes the sequence from its end; its
//   output is in the order of processing. The step itself: lstm_cell.hpp.
// Errors: RequestError for an input that is no sequence.
// Source: Hochreiter and Schmidhuber 1997; keras/src/layers/rnn/lstm.py.
#pragma once

#include <optional>

#include "nn/options.hpp"

namespace timbre::nn {

struct LstmOptions {
  static constexpr auto part = "lstm";
  Units units;
  bool return_sequences = false, go_backwards = false, use_bias = true, unit_forget_bias = true;
  std::optional<Penalty> kernel_regulariser, recurrent_regulariser;
};
const config::Schema<LstmOptions>& schema(config::of<LstmOptions>);

}  // namespace timbre::nn
