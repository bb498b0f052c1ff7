#include "features/window.hpp"

#include <cmath>
#include <map>
#include <numbers>
#include <stdexcept>

namespace timbre::features {
namespace {

/// Cosine windows: sum over j of (-1)^j c[j] cos(j x), x = 2 pi i / N.
const std::map<std::string, std::vector<double>>& cosine_windows() {
  static const std::map<std::string, std::vector<double>> table{
      {"boxcar", {1.0}},
      {"ones", {1.0}},
      {"hann", {0.5, 0.5}},
      {"hamming", {0.54, 0.46}},
      {"blackman", {0.42, 0.5, 0.08}},
      {"blackmanharris", {0.35875, 0.48829, 0.14128, 0.01168}}};
  return table;
}

}  // namespace

const std::vector<std::string>& window_names() {
  static const std::vector<std::string> names{"hann",     "hamming", "blackman", "blackmanharris",
                                              "bartlett", "boxcar",  "ones"};
  return names;
}

std::vector<double> window_values(const std::string& name, int length, int size) {
  std::vector<double> window(static_cast<std::size_t>(size), 0.0);
  double* out = window.data() + (size - length) / 2;
  if (length == 1) {
    out[0] = 1.0;
    return window;
  }
  if (name == "bartlett") {
    for (int i = 0; i < length; ++i) out[i] = 1.0 - std::abs(2.0 * i / length - 1.0);
    return window;
  }
  const auto it = cosine_windows().find(name);
  if (it == cosine_windows().end()) throw std::logic_error("no window '" + name + "'");
  for (int i = 0; i < length; ++i) {
    const double x = 2.0 * std::numbers::pi * i / length;
    double sum = 0, sign = 1;
    for (std::size_t j = 0; j < it->second.size(); ++j, sign = -sign)
      sum += sign * it->second[j] * std::cos(static_cast<double>(j) * x);
    out[i] = sum;
  }
  return window;
}

std::vector<float> make_window(const std::string& name, int length, int size) {
  const auto exact = window_values(name, length, size);
  std::vector<float> window;
  window.reserve(exact.size());
  for (const double v : exact) window.push_back(static_cast<float>(v));
  return window;
}

}  // namespace timbre::features
