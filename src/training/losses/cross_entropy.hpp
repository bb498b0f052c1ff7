// Cross-entropy's arithmetic for one class of one row, shared by the CPU's loop and the CUDA kernel; the
// formula stands in cross_entropy.cpp. Plain C++ that nvcc compiles for the device as well.
#pragma once

#include <cstdint>

#include "core/philox.hpp"  // TIMBRE_ELEMENTWISE

namespace timbre::training {

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
