// bidirectional: a recurrent layer that reads the sequence forwards, and another that reads it backwards, as Keras's
// Bidirectional of an lstm or a gru.
//
//   x [T, F]     f = forward(x), b = backward(x), of `units` each
//   y = [f, b] (concat), f + b (sum), f b (mul) or (f + b) / 2 (ave). With return_sequences [T, ...], b turned round, so that
//   both have read up to step t; else the last f and the last b.
// At masked steps (nn/layers/masking.hpp) of a sequence y is 0, as Keras has it here.
// Both layers have the options of `layer`, and weights of their own: those of the first, then those of the second.
// Errors: RequestError for an input that is no sequence, and for a layer that goes backwards (Keras refuses it, too).
// Source: Schuster and Paliwal 1997; keras/src/layers/rnn/bidirectional.py.
#pragma once

#include <optional>
#include <string>

#include "nn/layers/gru.hpp"
#include "nn/layers/lstm.hpp"

namespace timbre::nn {

/// One of the recurrent layers with its options: lstm: {...} or gru: {...}.
struct RecurrentChoice {
  std::optional<LstmOptions> lstm;
  std::optional<GruOptions> gru;
  static RecurrentChoice from(const config::Reader& reader);
  static config::Type describe();
  config::Node dump() const;
  bool return_sequences() const { return lstm ? lstm->return_sequences : gru->return_sequences; }
  /// The layer that reads the other way.
  RecurrentChoice turned_round() const {
    auto out = *this;
    if (out.lstm) out.lstm->go_backwards = !out.lstm->go_backwards;
    if (out.gru) out.gru->go_backwards = !out.gru->go_backwards;
    return out;
  }
};

struct BidirectionalOptions {
  static constexpr auto part = "bidirectional";
  RecurrentChoice layer;
  std::string merge_mode = "concat";  // concat | sum | mul | ave
};
const config::Schema<BidirectionalOptions>& schema(config::of<BidirectionalOptions>);

enum class Merge { concat, sum, mul, ave };
Merge merge_of(const std::string& name);

}  // namespace timbre::nn
