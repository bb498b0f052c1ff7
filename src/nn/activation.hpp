// Activation functions, elementwise, with the derivative written in terms of the output y, so that backward
// needs y alone. Plain functors: CPU loops and CUDA kernels share them.
//
//   linear  y = x            relu  y = max(x, 0)       sigmoid  y = 1 / (1 + e^-x)
//   tanh    y = tanh x       elu   y = x or e^x - 1    leaky_relu  y = x or 0.2 x
//   selu    y = 1.0507 (x or 1.6733 (e^x - 1))         softmax is no elementwise function: see softmax_rows
//
// silu (y = x sigmoid x, which is also called swish) and gelu (y = x (1 + erf(x / sqrt 2)) / 2) fall and rise again, so that y
// does not tell their slope: only the activation layer, which has its input, takes them.
#pragma once

#include <cmath>
#include <string>
#include <vector>

#include "nn/vector_math.hpp"  // and TIMBRE_ELEMENTWISE

namespace timbre::nn {

enum class Activation { linear, relu, sigmoid, tanh, elu, softmax, leaky_relu, selu, silu, gelu };

struct Linear {
  TIMBRE_ELEMENTWISE static float value(float x) { return x; }
  TIMBRE_ELEMENTWISE static float slope(float) { return 1.0f; }
};
struct Relu {
  TIMBRE_ELEMENTWISE static float value(float x) {
    return x > 0.0f ? x : (x == x ? 0.0f : x);
  }  // NaN stays NaN
  TIMBRE_ELEMENTWISE static float slope(float y) { return y > 0.0f ? 1.0f : 0.0f; }
};
struct Sigmoid {
  TIMBRE_ELEMENTWISE static float value(float x) { return sigmoid(x); }
  TIMBRE_ELEMENTWISE static float slope(float y) { return y * (1.0f - y); }
};
struct Tanh {
  TIMBRE_ELEMENTWISE static float value(float x) { return hyperbolic_tangent(x); }
  TIMBRE_ELEMENTWISE static float slope(float y) { return 1.0f - y * y; }
};
struct Elu {
  TIMBRE_ELEMENTWISE static float value(float x) { return x > 0.0f ? x : exponential_minus_1(x); }
  TIMBRE_ELEMENTWISE static float slope(float y) { return y > 0.0f ? 1.0f : y + 1.0f; }
};

struct LeakyRelu {  // Keras's default slope
  TIMBRE_ELEMENTWISE static float value(float x) { return x > 0.0f ? x : 0.2f * x; }
  TIMBRE_ELEMENTWISE static float slope(float y) { return y > 0.0f ? 1.0f : 0.2f; }
};
struct Selu {
  static constexpr float scale = 1.05070098735548049342f, alpha = 1.67326324235437728482f;
  TIMBRE_ELEMENTWISE static float value(float x) {
    return x > 0.0f ? scale * x : scale * alpha * exponential_minus_1(x);
  }
  TIMBRE_ELEMENTWISE static float slope(float y) { return y > 0.0f ? scale : y + scale * alpha; }
};

// Their slopes are written in terms of the input.
struct Silu {
  TIMBRE_ELEMENTWISE static float value(float x) { return x * sigmoid(x); }
  TIMBRE_ELEMENTWISE static float slope_at(float x) {
    const float s = sigmoid(x);
    return s * (1.0f + x * (1.0f - s));
  }
};
struct Gelu {
  TIMBRE_ELEMENTWISE static float value(float x) {
    return 0.5f * x * (1.0f + erff(x * 0.70710678118654752f));
  }
  TIMBRE_ELEMENTWISE static float slope_at(float x) {
    return 0.5f * (1.0f + erff(x * 0.70710678118654752f)) +
           x * 0.39894228040143268f * exponential(-0.5f * x * x);
  }
};

/// Whether the slope needs the input.
constexpr bool needs_input(Activation a) { return a == Activation::silu || a == Activation::gelu; }
/// Calls f with the functor of one of these.
template <class F>
decltype(auto) with_input_activation(Activation a, F&& f) {
  return a == Activation::gelu ? f(Gelu{}) : f(Silu{});
}

/// Calls f with the functor of an elementwise activation whose slope y tells (the others count as linear: they are taken
/// elsewhere).
template <class F>
decltype(auto) with_activation(Activation a, F&& f) {
  switch (a) {
    case Activation::relu:
      return f(Relu{});
    case Activation::sigmoid:
      return f(Sigmoid{});
    case Activation::tanh:
      return f(Tanh{});
    case Activation::elu:
      return f(Elu{});
    case Activation::leaky_relu:
      return f(LeakyRelu{});
    case Activation::selu:
      return f(Selu{});
    case Activation::linear:
    case Activation::softmax:
    case Activation::silu:
    case Activation::gelu:
      break;
  }
  return f(Linear{});
}

/// Names as Keras writes them, in the order of the enumeration: of those that any layer takes, and of all.
const std::vector<std::string>& activation_names();
const std::vector<std::string>& all_activation_names();
Activation activation_of(const std::string& name);
const std::string& name_of(Activation a);

/// Softmax of each of `rows` rows of `columns` values, in place: y = e^(x - max) / sum.
void softmax_rows(float* values, long rows, long columns);

}  // namespace timbre::nn
