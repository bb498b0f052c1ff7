// Categorical cross-entropy from logits, with label smoothing.
//
//   p = softmax(logits);  t = (1 - s) onehot(label) + s / C;  loss = -sum_c t_c log p_c;  dloss/dlogits = p - t
//
// log p: see nn/softmax.hpp. The
// arithmetic for one class of one row is shared by the CPU's loop and the CUDA kernel: plain C++ that nvcc compiles for
// the device as well.
// Errors: RequestError for a label_smoothing outside [0, 1).
// Source: keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=s).
#pragma once

#include <cstdint>

#include "config/forward.hpp"
#include "core/philox.hpp"  // TIMBRE_ELEMENTWISE

namespace timbre::training {

struct CrossEntropyOptions {
  static constexpr auto part = "cross_entropy";
  double label_smoothing = 0;
};
const config::Schema<CrossEntropyOptions>& schema(config::of<CrossEntropyOptions>);

/// t_c = (1 - s) [c is the label] + s / C
struct SmoothedTarget {
  float hit, spread;
  static SmoothedTarget of(double label_smoothing, std::int64_t classes) {
    const float s = float(label_smoothing);
    return {1.0f - s, s / float(classes)};
  }
  TIMBRE_ELEMENTWISE float operator()(bool label) const { return spread + (label ? hit : 0.0f); }
};

/// -t log p. Where the target is 0 the term is 0, even for log p = -inf; a NaN stays one.
TIMBRE_ELEMENTWISE inline float cross_entropy_term(float target, float log_p) {
  return target != 0.0f || log_p != log_p ? -(target * log_p) : 0.0f;
}

}  // namespace timbre::training
