#include "evaluation/lbfgs.hpp"

#include <algorithm>
#include <cmath>
#include <deque>
#include <limits>

namespace timbre::evaluation {
namespace {

double dot(std::span<const double> a, std::span<const double> b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

double largest(std::span<const double> v) {
  double most = 0;
  for (const double x : v) most = std::max(most, std::abs(x));
  return most;
}

struct Correction {
  std::vector<double> step, change;  // of x, of the gradient
  double scale;                      // 1 / (step . change)
};

/// Minus the gradient times the inverse Hessian as the corrections have it.
std::vector<double> direction_of(const std::vector<double>& gradient, const std::deque<Correction>& memory) {
  auto d = gradient;
  std::vector<double> weight(memory.size());
  for (std::size_t k = memory.size(); k-- > 0;) {
    weight[k] = memory[k].scale * dot(memory[k].step, d);
    for (std::size_t i = 0; i < d.size(); ++i) d[i] -= weight[k] * memory[k].change[i];
  }
  double first = 1 / std::max(1.0, std::sqrt(dot(gradient, gradient)));
  if (!memory.empty()) {
    const auto& last = memory.back();
    first = 1 / (last.scale * dot(last.change, last.change));
  }
  for (double& v : d) v *= first;
  for (std::size_t k = 0; k < memory.size(); ++k) {
    const double back = memory[k].scale * dot(memory[k].change, d);
    for (std::size_t i = 0; i < d.size(); ++i) d[i] += (weight[k] - back) * memory[k].step[i];
  }
  for (double& v : d) v = -v;
  return d;
}

}  // namespace

Minimum minimise(const std::function<double(std::span<const double>, std::span<double>)>& function,
                 std::vector<double> start, double tolerance, int most_iterations) {
  constexpr std::size_t corrections = 10;
  constexpr double enough = 1e-4, flat = 0.9, rounding = 1e-13;
  Minimum at{.x = std::move(start)};
  const auto size = at.x.size();
  std::vector<double> gradient(size), x(size), next(size);
  at.value = function(at.x, gradient);
  at.gradient = largest(gradient);
  std::deque<Correction> memory;
  for (; !(at.converged = at.gradient < tolerance) && at.iterations < most_iterations; ++at.iterations) {
    const auto direction = direction_of(gradient, memory);
    const double slope = dot(gradient, direction);
    if (!(slope < 0)) {
      if (memory.empty()) break;
      memory.clear();
      continue;
    }
    double low = 0, high = std::numeric_limits<double>::infinity(), t = 1, value = 0;
    bool found = false;
    for (int trial = 0; trial < 60 && !found; ++trial) {
      for (std::size_t i = 0; i < size; ++i) x[i] = at.x[i] + t * direction[i];
      value = function(x, next);
      if (!(value <= at.value + enough * t * slope + rounding * std::abs(at.value)))
        high = t;
      else if (dot(next, direction) < flat * slope)
        low = t;
      else
        found = true;
      if (!found) t = std::isinf(high) ? 2 * t : low + (high - low) / 2;
    }
    if (!found) {
      if (memory.empty()) break;
      memory.clear();
      continue;
    }
    Correction c{std::vector<double>(size), std::vector<double>(size), 0};
    for (std::size_t i = 0; i < size; ++i) c.step[i] = x[i] - at.x[i], c.change[i] = next[i] - gradient[i];
    if (const double curvature = dot(c.step, c.change); curvature > 0) {
      c.scale = 1 / curvature;
      memory.push_back(std::move(c));
      if (memory.size() > corrections) memory.pop_front();
    }
    at.x.swap(x), gradient.swap(next);
    at.value = value, at.gradient = largest(gradient);
  }
  return at;
}

}  // namespace timbre::evaluation
