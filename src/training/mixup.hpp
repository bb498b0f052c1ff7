// mixup (Zhang et al. 2018): in training, each segment is mixed with another one of its batch, anew at each step.
//
//   x = s x_i + (1 - s) x_j      s of each row from Beta(alpha, alpha);  j: a random order of the batch, which may leave i = j
//   loss = s L(label_i) + (1 - s) L(label_j)
//
// which is the loss of the soft labels s onehot(label_i) + (1 - s) onehot(label_j), since every loss here is linear in its
// target: with label smoothing and with the focal loss, too. A weight of classes multiplies each of the two terms by its own
// class. Training accuracy counts a row as right where the network says the label with the larger share (of equal ones the
// row's own), as Keras's accuracy of soft labels does. Stripes of SpecAugment are hidden in what is mixed.
// The draws come from (seed, stream::mixup, step) on the host: the same on every device, and after a resumption. Validation and
// test are never mixed. `mixed` is plain C++ that nvcc compiles for the device as well.
// Errors: RequestError for an alpha that is not positive.
// Source: https://arxiv.org/abs/1710.09412; keras.layers.MixUp, which draws a share for each row, too.
#pragma once

#include <cstdint>
#include <vector>

#include "config/forward.hpp"
#include "core/philox.hpp"

namespace timbre::training {

struct MixupOptions {
  double alpha = 0.2;
};
const config::Schema<MixupOptions>& schema(config::of<MixupOptions>);

/// Of each row of a batch: the place of its partner, and its own share.
struct Mixture {
  std::vector<std::int32_t> partner;
  std::vector<float> share;
};
Mixture draw_mixture(const MixupOptions& options, std::uint64_t seed, std::int64_t step, std::int64_t rows);

TIMBRE_ELEMENTWISE inline float mixed(float own, float other, float share) {
  return share * own + (1.0f - share) * other;
}

}  // namespace timbre::training
