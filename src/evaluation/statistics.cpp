#include "evaluation/statistics.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "core/philox.hpp"

namespace timbre::evaluation {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

/// Finds x with rising(x) = p by halving, to the last bit.
template <class F>
double invert(F rising, double p, double low, double high) {
  while (true) {
    const double middle = low + (high - low) / 2;
    if (middle <= low || middle >= high) return middle;
    (rising(middle) < p ? low : high) = middle;
  }
}

/// Regularised incomplete beta function I_x(a, b) by Lentz's continued fraction (Numerical Recipes, 6.4).
double incomplete_beta(double a, double b, double x) {
  if (x <= 0 || x >= 1) return x <= 0 ? 0 : 1;
  if (x > (a + 1) / (a + b + 2)) return 1 - incomplete_beta(b, a, 1 - x);
  constexpr double tiny = 1e-300;
  const auto safe = [](double v) { return std::abs(v) < tiny ? tiny : v; };
  double c = 1, d = 1 / safe(1 - (a + b) * x / (a + 1)), h = d;
  for (int m = 1; m <= 10000; ++m) {
    const double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / safe(1 + even * d), c = safe(1 + even / c), h *= d * c;
    const double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / safe(1 + odd * d), c = safe(1 + odd / c), h *= d * c;
    if (std::abs(d * c - 1) < 1e-16) break;
  }
  return h *
         std::exp(std::lgamma(a + b) - std::lgamma(a) - std::lgamma(b) + a * std::log(x) +
                  b * std::log1p(-x)) /
         a;
}

/// Linear interpolation between sorted values, numpy's default.
double quantile(const std::vector<double>& sorted, double p) {
  const double place = p * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(place);
  const auto above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (place - static_cast<double>(below)) * (sorted[above] - sorted[below]);
}

}  // namespace

double mean(std::span<const double> values) {
  if (values.empty()) return nan;
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

double standard_deviation(std::span<const double> values) {
  if (values.size() < 2) return nan;
  const double middle = mean(values);
  double sum = 0;
  for (const double v : values) sum += (v - middle) * (v - middle);
  return std::sqrt(sum / static_cast<double>(values.size() - 1));
}

double normal_quantile(double p) {
  return invert([](double x) { return std::erfc(-x / std::sqrt(2.0)) / 2; }, p, -40, 40);
}

double student_quantile(double p, double degrees) {
  if (p < 0.5) return -student_quantile(1 - p, degrees);
  const auto distribution = [=](double t) {
    return 1 - incomplete_beta(degrees / 2, 0.5, degrees / (degrees + t * t)) / 2;
  };
  double high = 1;
  while (distribution(high) < p && high < 1e300) high *= 2;
  return invert(distribution, p, 0, high);
}

Interval t_interval(std::span<const double> values, double confidence, double share) {
  if (values.size() < 2) return {nan, nan};
  const auto n = static_cast<double>(values.size());
  const double half =
      student_quantile((1 + confidence) / 2, n - 1) * standard_deviation(values) * std::sqrt(1 / n + share);
  return {mean(values) - half, mean(values) + half};
}

Interval wilson_interval(std::int64_t successes, std::int64_t trials, double confidence) {
  if (trials <= 0) return {0, 1};
  const double z = normal_quantile((1 + confidence) / 2), n = static_cast<double>(trials);
  const double p = static_cast<double>(successes) / n, scale = 1 / (1 + z * z / n);
  const double centre = scale * (p + z * z / (2 * n));
  const double half = scale * z * std::sqrt(p * (1 - p) / n + z * z / (4 * n * n));
  // The ends are exact at 0 and 1, where rounding would leave a crumb.
  return {successes == 0 ? 0 : centre - half, successes == trials ? 1 : centre + half};
}

Interval bootstrap_interval(std::int64_t items,
                            const std::function<double(std::span<const std::int64_t>)>& figure,
                            std::uint64_t seed, int samples, double confidence) {
  if (items <= 0 || samples <= 0) return {nan, nan};
  std::vector<std::int64_t> drawn(items);
  std::vector<double> figures;
  for (int s = 0; s < samples; ++s) {
    PhiloxSequence random(seed, stream::bootstrap, static_cast<std::uint32_t>(s));
    for (auto& index : drawn) index = static_cast<std::int64_t>(random.below(items));
    if (const double value = figure(drawn); !std::isnan(value)) figures.push_back(value);
  }
  if (figures.empty()) return {nan, nan};
  std::sort(figures.begin(), figures.end());
  return {quantile(figures, (1 - confidence) / 2), quantile(figures, (1 + confidence) / 2)};
}

Interval bootstrap_interval(std::span<const double> values, std::uint64_t seed, int samples,
                            double confidence) {
  const auto figure = [&](std::span<const std::int64_t> drawn) {
    double sum = 0;
    for (const auto index : drawn) sum += values[index];
    return sum / static_cast<double>(drawn.size());
  };
  return bootstrap_interval(static_cast<std::int64_t>(values.size()), figure, seed, samples, confidence);
}

Interval grouped_interval(std::span<const Tally> units, std::uint64_t seed, int samples, double confidence) {
  double right = 0, all = 0;
  for (const auto& u : units) right += u.right, all += u.all;
  const auto count = static_cast<std::int64_t>(units.size());
  if (count < 2 || all <= 0) return {nan, nan};
  if (right <= 0 || right >= all) return wilson_interval(right > 0 ? count : 0, count, confidence);
  return bootstrap_interval(
      count,
      [&](std::span<const std::int64_t> drawn) {
        double hits = 0, answers = 0;
        for (const auto i : drawn) hits += units[i].right, answers += units[i].all;
        return hits / answers;
      },
      seed, samples, confidence);
}

Interval cut(Interval interval, double low, double high) {
  // std::clamp lets NaN through.
  return {std::clamp(interval.low, low, high), std::clamp(interval.high, low, high)};
}

std::vector<double> holm(std::span<const double> p_values) {
  const auto count = p_values.size();
  std::vector<std::size_t> order(count);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return p_values[a] < p_values[b]; });
  std::vector<double> out(count);
  double largest = 0;
  for (std::size_t rank = 0; rank < count; ++rank) {
    largest = std::max(largest, std::min(1.0, static_cast<double>(count - rank) * p_values[order[rank]]));
    out[order[rank]] = largest;
  }
  return out;
}

}  // namespace timbre::evaluation
