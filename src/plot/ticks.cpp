#include "plot/ticks.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "core/text.hpp"

namespace timbre::plot {
namespace {

/// 10^exponent, exact for the exponents that occur here.
double power_of_ten(int exponent) {
  double p = 1;
  for (int i = 0; i < std::abs(exponent); ++i) p *= 10;
  return exponent < 0 ? 1 / p : p;
}

struct Step {
  double size;
  int decimals;
};

/// The smallest of 1, 2, 5 times a power of ten that cuts the range into at most `target` parts.
Step round_step(double range, int target) {
  const double wanted = range / std::max(1, target);
  const int exponent = static_cast<int>(std::floor(std::log10(wanted)));
  for (int e = exponent;; ++e)
    for (const int factor : {1, 2, 5})
      if (factor * power_of_ten(e) >= wanted * (1 - 1e-9)) return {factor * power_of_ten(e), std::max(0, -e)};
}

std::vector<Tick> multiples(double low, double high, double step,
                            const std::function<std::string(double)>& label) {
  std::vector<Tick> out;
  const double slack = 1e-6;  // a bound that is a multiple but for rounding has its tick
  const auto first = static_cast<std::int64_t>(std::ceil(low / step - slack));
  const auto last = static_cast<std::int64_t>(std::floor(high / step + slack));
  for (auto i = first; i <= last; ++i) out.push_back({double(i) * step, label(double(i) * step)});
  return out;
}

}  // namespace

std::string decimal(double value, int decimals) {
  const auto text = fmt::format("{:.{}f}", std::abs(value), decimals);
  const bool zero = text.find_first_not_of("0.") == text.npos;
  return value < 0 && !zero ? "\u2212" + text : text;
}

std::vector<Tick> linear_ticks(double low, double high, int target) {
  const auto step = round_step(high - low, target);
  return multiples(low, high, step.size, [&](double v) { return decimal(v, step.decimals); });
}

std::vector<Tick> whole_ticks(int low, int high, int target) {
  const double step = high > low ? std::max(1.0, round_step(high - low, target).size) : 1.0;
  return multiples(low, high, step, [](double v) { return decimal(v, 0); });
}

std::vector<Tick> time_ticks(double low, double high, int target) {
  // Where steps are below a second, m:ss would need decimals.
  if (high < 180 || high - low < target) return linear_ticks(low, high, target);
  double step = 1;
  for (const double clock : {2, 5, 10, 15, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 18000, 36000}) {
    if ((high - low) / step <= target) break;
    step = clock;
  }
  return multiples(low, high, step, [](double v) {
    const auto s = static_cast<std::int64_t>(std::llround(v));
    return fmt::format("{}:{:02}", s / 60, s % 60);
  });
}

std::vector<Tick> frequency_ticks(double low, double high, const std::function<double(double)>& position,
                                  double distance, bool brief) {
  std::vector<Tick> out;
  for (const int factor : {1, 5, 2}) {
    for (int exponent = 0; exponent < 7; ++exponent) {
      const double f = factor * power_of_ten(exponent);
      if (f < low || f > high) continue;
      const bool near = std::any_of(out.begin(), out.end(), [&](const Tick& t) {
        return std::abs(position(t.value) - position(f)) < distance;
      });
      if (near) continue;
      const auto whole = static_cast<std::int64_t>(f);
      out.push_back({f, brief && whole >= 1000 ? fmt::format("{}k", whole / 1000) : grouped(whole)});
    }
  }
  std::sort(out.begin(), out.end(), [](const Tick& a, const Tick& b) { return a.value < b.value; });
  return out;
}

}  // namespace timbre::plot
