// Activation functions, elementwise, with the derivative written in terms of the output y, so that backward
// needs y alone. Plain functors: CPU loops and CUDA kernels share them.
//
//   linear  y = x            relu  y = max(x, 0)       sigmoid  y = 1 / (1 + e^-x)
//   tanh    y = tanh x       elu   y = x or e^x - 1    softmax is no elementwise function: see softmax_rows
#pragma once

#include <string>
#include <vector>

#include "nn/vector_math.hpp"  // and TIMBRE_ELEMENTWISE

namespace timbre::nn {

enum class Activation { linear, relu, sigmoid, tanh, elu, softmax };

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

/// Calls f with the functor of an elementwise activation (softmax counts as linear: it is taken elsewhere).
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
    case Activation::linear:
    case Activation::softmax:
      break;
  }
  return f(Linear{});
}

/// Names as Keras writes them, in the order of the enumeration.
const std::vector<std::string>& activation_names();
Activation activation_of(const std::string& name);
const std::string& name_of(Activation a);

/// Softmax of each of `rows` rows of `columns` values, in place: y = e^(x - max) / sum.
void softmax_rows(float* values, long rows, long columns);

}  // namespace timbre::nn
