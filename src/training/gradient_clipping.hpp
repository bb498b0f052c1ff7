// Gradient clipping, as Keras's optimizers do it: the gradient of the whole loss, penalties included, is bounded before the
// optimizer sees it.
//
//   value        each element is clipped to -value .. value                                (clipvalue)
//   norm         each parameter's gradient g becomes g norm / max(norm, |g|)               (clipnorm)
//   global_norm  all gradients together: g global_norm / max(global_norm, |all of them|)   (global_clipnorm)
//
// At most one of them is given; with none the gradients stay as they are. In any case the norm of all gradients, before
// clipping, is summed up over steps (Metrics::gradient_norm_sum). Norms are sums of squares in double, in a fixed order.
// The header is plain C++ that nvcc compiles for the device as well.
// Errors: RequestError for a bound that is not positive, and for more than one.
// Source: keras/src/optimizers/base_optimizer.py.
#pragma once

#include <cmath>
#include <cstdint>
#include <optional>

#include "config/forward.hpp"
#include "core/philox.hpp"  // TIMBRE_ELEMENTWISE

namespace timbre::training {

/// `training.gradient_clipping:` of a configuration.
struct GradientClippingOptions {
  std::optional<double> value, norm, global_norm;
};
const config::Schema<GradientClippingOptions>& schema(config::of<GradientClippingOptions>);

/// What a step does to its gradients.
struct GradientClipping {
  enum class By { nothing, value, norm, global_norm };
  By by;
  double bound;
  static GradientClipping of(const GradientClippingOptions& o) {
    if (o.value) return {By::value, *o.value};
    if (o.norm) return {By::norm, *o.norm};
    if (o.global_norm) return {By::global_norm, *o.global_norm};
    return {By::nothing, 0};
  }
  TIMBRE_HD bool scales() const { return by == By::norm || by == By::global_norm; }
  /// What a gradient with this sum of squares is multiplied by.
  TIMBRE_HD float factor(double squares) const {
    const double norm = std::sqrt(squares);
    return static_cast<float>(bound / (norm > bound ? norm : bound));
  }
};

/// An element of a gradient within -bound .. bound. A NaN stays one.
TIMBRE_ELEMENTWISE inline float clipped(float g, float bound) {
  return g > bound ? bound : g < -bound ? -bound : g;
}

/// g [count] becomes the gradient with its penalties, and each element at most `bound` (infinite: as it is). Returns the sum of
/// squares before that: eight sums side by side, whatever the vectors' width.
double penalise(float* g, const float* p, std::int64_t count, float l1, float twice_l2, float bound);

/// g [count] times a factor.
void scale(float* g, std::int64_t count, float factor);

}  // namespace timbre::training
