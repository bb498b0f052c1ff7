#include "report/numbers.hpp"

#include <fmt/format.h>

#include <cmath>
#include <limits>

#include "core/text.hpp"

namespace timbre::report {

std::string fixed(double value, int digits) {
  // Halfway between two decimals of so many digits lie exactly the odd multiples of 2^-(digits + 1).
  const double twice = std::ldexp(value, digits + 1);
  if (std::isfinite(twice) && twice == std::floor(twice) && std::fmod(std::abs(twice), 2) == 1)
    value = std::nextafter(value, value < 0 ? -INFINITY : INFINITY);
  return fmt::format("{:.{}f}", value, digits);
}

namespace {

std::string signed_points(double share) {
  const auto text = fixed(std::abs(100 * share), 1);
  return (share < 0 ? "−" : "+") + text;
}

}  // namespace

std::string percent(double share) { return std::isnan(share) ? "–" : fixed(100 * share, 1) + "%"; }
std::string points(double share) { return signed_points(share) + " points"; }
std::string percent_range(double low, double high) {
  return std::isnan(low) ? "–" : fixed(100 * low, 1) + " to " + fixed(100 * high, 1) + "%";
}
std::string point_range(const Spread& s) { return signed_points(s.low) + " to " + points(s.high); }
std::string decimals(double v) { return std::isnan(v) ? "–" : fixed(v, 3); }
std::string p_text(double p) { return fmt::format("{:.3g}", p); }
std::string plural(std::int64_t n, const std::string& what) {
  return grouped(n) + " " + what + (n == 1 ? "" : "s");
}

std::string plus_minus(const Spread& s) {
  if (s.n < 2) return percent(s.mean);
  if (!s.has_interval())
    return percent(s.mean) + " (" + fixed(100 * s.least, 1) + (s.n == 2 ? " and " : " to ") +
           fixed(100 * s.most, 1) + "%)";
  if (s.is_cut()) return percent(s.mean) + " (" + percent_range(s.low, s.high) + ")";
  return fixed(100 * s.mean, 1) + " ± " + fixed(100 * s.half, 1) + "%";
}

std::string interval_text(const Spread& s) {
  if (s.has_interval()) return signed_points(s.low) + " to " + signed_points(s.high);
  return s.repetitions == 2 ? "– (two repetitions)" : "– (one)";
}

}  // namespace timbre::report
