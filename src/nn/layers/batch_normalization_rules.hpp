// Batch normalisation's arithmetic for one channel and for one value, shared by the CPU's loops and the CUDA
// kernels; the formulas are in batch_normalization.hpp. Plain C++ that nvcc compiles for the device as
// well.
#pragma once

#include <cmath>

#include "core/philox.hpp"  // TIMBRE_ELEMENTWISE

namespace timbre::nn {

/// Biased variance from the sums of x and x^2 over n values; NaN stays NaN.
struct Moments {
  double mean, variance;
  TIMBRE_ELEMENTWISE static Moments of(double sum, double squares, double n) {
    const double mean = sum / n, variance = squares / n - mean * mean;
    return {mean, variance < 0.0 ? 0.0 : variance};
  }
};

TIMBRE_ELEMENTWISE inline float blend_moving(float moving, double batch, double momentum) {
  return static_cast<float>(moving * momentum + batch * (1 - momentum));
}

/// y = (x - mean) factor + offset with the mean as a float: near the mean that difference is exact, and what
/// rounding took from the mean goes into the offset.
struct Normalisation {
  double exact_mean, inverse;  // inverse: 1 / sqrt(variance + epsilon)
  float mean, factor, offset;
  TIMBRE_ELEMENTWISE static Normalisation of(Moments m, double epsilon, double gamma, double beta) {
    Normalisation n;
    n.exact_mean = m.mean;
    n.inverse = 1 / std::sqrt(m.variance + epsilon);
    n.mean = static_cast<float>(m.mean);
    const double factor = gamma * n.inverse;
    n.factor = static_cast<float>(factor);
    n.offset = static_cast<float>(beta - (m.mean - n.mean) * factor);
    return n;
  }
  TIMBRE_ELEMENTWISE static float value(float x, float mean, float factor, float offset) {
    return (x - mean) * factor + offset;
  }
};

/// dx = (dy - mean_dy) factor + (x - mean) slope + offset, and the gradients of gamma and beta, from the sums
/// of dy and dy (x - mean) over n values.
struct NormalisationGradient {
  float gamma, beta;  // gradients
  float mean_dy, factor, slope, offset;
  TIMBRE_ELEMENTWISE static NormalisationGradient of(double sum, double product, double n, double exact_mean,
                                                     float mean, double inverse, double gamma) {
    const double rest = exact_mean - mean;
    product -= rest * sum;
    const double a = gamma * inverse, b = -a * inverse * inverse * product / n;
    NormalisationGradient g;
    g.gamma = static_cast<float>(product * inverse);
    g.beta = static_cast<float>(sum);
    g.mean_dy = static_cast<float>(sum / n);
    g.factor = static_cast<float>(a);
    g.slope = static_cast<float>(b);
    g.offset = static_cast<float>(-a * (sum / n - g.mean_dy) - b * rest);
    return g;
  }
  TIMBRE_ELEMENTWISE static float value(float x, float dy, float mean, float mean_dy, float factor,
                                        float slope, float offset) {
    return (dy - mean_dy) * factor + (x - mean) * slope + offset;
  }
};

}  // namespace timbre::nn
