// Focal loss: cross-entropy in which classes that are already sure count less (Lin et al. 2017), as Keras's
// CategoricalFocalCrossentropy from logits.
//
//   p = softmax(logits);  t as cross_entropy's;  loss = -alpha sum_c t_c (1 - p_c)^gamma log p_c
//   a_c = -alpha t_c ((1 - p_c)^gamma - gamma (1 - p_c)^(gamma - 1) p_c log p_c);  dloss/dlogit_k = a_k - p_k sum_c a_c
//
// (Keras clips p to 1e-7 from 0 and 1; here it is exact.) The arithmetic for one class is shared by the CPU's loop and the CUDA
// kernel: plain C++ that nvcc compiles for the device as well.
// Errors: RequestError for a negative gamma, an alpha that is not positive, and a label_smoothing outside [0, 1).
// Source: keras.losses.CategoricalFocalCrossentropy(alpha, gamma, from_logits=True, label_smoothing).
#pragma once

#include <cmath>

#include "training/losses/cross_entropy.hpp"

namespace timbre::training {

struct FocalCrossEntropyOptions {
  static constexpr auto part = "focal_cross_entropy";
  double gamma = 2, alpha = 0.25, label_smoothing = 0;
};
const config::Schema<FocalCrossEntropyOptions>& schema(config::of<FocalCrossEntropyOptions>);

struct FocalTerm {
  float loss, slope;  // slope: a_c
};
struct FocalRule {
  float gamma, alpha;
  SmoothedTarget targets;
  static FocalRule of(const FocalCrossEntropyOptions& o, std::int64_t classes) {
    return {float(o.gamma), float(o.alpha), SmoothedTarget::of(o.label_smoothing, classes)};
  }
  TIMBRE_HD FocalTerm operator()(bool label, float log_p) const {
    const float target = targets(label);
    if (target == 0.0f && log_p == log_p) return {0.0f, 0.0f};
    // 1 - p, exact for p near 1
    const float rest = -expm1f(log_p), scale = alpha * target;
    const float power = gamma == 0.0f ? 1.0f : powf(rest, gamma);
    const float inner = gamma == 0.0f || rest <= 0.0f ? 0.0f : gamma * power / rest * expf(log_p) * log_p;
    return {-(scale * power * log_p), -(scale * (power - inner))};
  }
};

}  // namespace timbre::training
