// masking: steps of a sequence that count for nothing, as Keras's Masking.
//
//   x [T, F]     y[t] = x[t], or 0 where every x[t, f] equals mask_value; such a step is masked
//   dx[t] = dy[t], or 0
//
// The mask goes on with the sequence, as in Keras: through dense, dropout, spatial_dropout1d, gaussian_noise, activation,
// layer_normalization, and through lstm, gru and bidirectional with return_sequences. lstm, gru and bidirectional skip masked
// steps (nn/layers/skipping.hpp); global_average_pooling1d means the others. Where a sequence ends, its mask does. A layer that
// can do nothing with a mask makes the configuration be refused; Keras forgets the mask there, with a warning. (As in Keras, a
// mask is not turned round behind an lstm that goes backwards and returns sequences.)
// A step is masked by exact equality, in features as they are where masking comes first (data/standardise.hpp): zeros that pad
// sequences of features, or silence in `mel` and `spectrogram` (0) and in `log_mel` with top_db: null (-100).
// Errors: RequestError for an input that is no sequence.
// Source: keras/src/layers/core/masking.py.
#pragma once

#include "nn/options.hpp"

namespace timbre::nn {

struct MaskingOptions {
  static constexpr auto part = "masking";
  double mask_value = 0;
};
const config::Schema<MaskingOptions>& schema(config::of<MaskingOptions>);

}  // namespace timbre::nn
