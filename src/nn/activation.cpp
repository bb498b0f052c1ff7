#include "nn/activation.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace timbre::nn {

const std::vector<std::string>& all_activation_names() {
  static const std::vector<std::string> names{"linear",  "relu",       "sigmoid", "tanh", "elu",
                                              "softmax", "leaky_relu", "selu",    "silu", "gelu"};
  return names;
}

const std::vector<std::string>& activation_names() {
  static const auto names = [] {
    auto some = all_activation_names();
    std::erase_if(some, [](const auto& name) { return needs_input(activation_of(name)); });
    return some;
  }();
  return names;
}

Activation activation_of(const std::string& name) {
  const auto& names = all_activation_names();
  const auto it = std::find(names.begin(), names.end(), name);
  if (it == names.end()) throw std::logic_error("no activation '" + name + "'");
  return static_cast<Activation>(it - names.begin());
}

const std::string& name_of(Activation a) { return all_activation_names()[static_cast<std::size_t>(a)]; }

void softmax_rows(float* values, long rows, long columns) {
  for (long r = 0; r < rows; ++r) {
    float* v = values + r * columns;
    const float top = *std::max_element(v, v + columns);
    float sum = 0;
    for (long c = 0; c < columns; ++c) sum += v[c] = std::exp(v[c] - top);
    for (long c = 0; c < columns; ++c) v[c] /= sum;
  }
}

}  // namespace timbre::nn
