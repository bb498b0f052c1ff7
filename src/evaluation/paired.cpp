#include "evaluation/paired.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <vector>

#include "core/philox.hpp"
#include "evaluation/statistics.hpp"

namespace timbre::evaluation {
namespace {

constexpr std::int64_t most_work = 200'000'000;  // additions of an exact test
constexpr std::int64_t draws = 100'000;
constexpr std::int64_t fewest_units = 6;  // 2^(1 - 6) is the first below 0.05

/// P(|sum| >= extreme) of the sums with random signs, by the distribution of all sums.
double exact_tail(const std::vector<std::int64_t>& sizes, std::int64_t largest, std::int64_t extreme) {
  const auto middle = static_cast<std::size_t>(largest);
  std::vector<double> now(2 * middle + 1, 0.0), next(now.size());
  now[middle] = 1;
  std::size_t reach = 0;
  for (const auto d : sizes) {
    const auto step = static_cast<std::size_t>(d);
    std::fill(next.begin() + static_cast<std::ptrdiff_t>(middle - reach - step),
              next.begin() + static_cast<std::ptrdiff_t>(middle + reach + step + 1), 0.0);
    for (std::size_t i = middle - reach; i <= middle + reach; ++i) {
      next[i - step] += now[i] / 2;
      next[i + step] += now[i] / 2;
    }
    reach += step;
    now.swap(next);
  }
  double tail = 0;
  for (std::size_t i = 0; i + static_cast<std::size_t>(extreme) <= middle; ++i) tail += now[i];
  return std::min(1.0, 2 * tail);
}

double drawn_tail(const std::vector<std::int64_t>& sizes, std::int64_t extreme, std::uint64_t seed) {
  std::int64_t hits = 0;
  for (std::int64_t s = 0; s < draws; ++s) {
    PhiloxSequence random(seed, stream::signs, static_cast<std::uint32_t>(s));
    std::int64_t sum = 0;
    std::uint32_t bits = 0;
    for (std::size_t i = 0; i < sizes.size(); ++i, bits >>= 1) {
      if (i % 32 == 0) bits = random.next();
      sum += bits & 1 ? sizes[i] : -sizes[i];
    }
    hits += std::abs(sum) >= extreme;
  }
  return static_cast<double>(hits + 1) / static_cast<double>(draws + 1);
}

}  // namespace

SignFlip sign_flip_test(std::span<const std::int64_t> sums, std::uint64_t seed) {
  SignFlip out;
  out.units = static_cast<std::int64_t>(sums.size());
  out.least = std::min(1.0, std::exp2(1.0 - static_cast<double>(out.units)));
  std::vector<std::int64_t> sizes;
  std::int64_t total = 0, largest = 0;
  for (const auto d : sums) {
    out.first += d > 0, out.second += d < 0, total += d;
    if (d != 0) sizes.push_back(std::abs(d)), largest += std::abs(d);
  }
  if (total == 0) return out;  // every sum is as extreme
  out.exact = largest <= most_work / (2 * static_cast<std::int64_t>(sizes.size()));
  out.p_value =
      out.exact ? exact_tail(sizes, largest, std::abs(total)) : drawn_tail(sizes, std::abs(total), seed);
  return out;
}

double detectable_difference(std::span<const std::int64_t> sums, std::int64_t answers) {
  if (static_cast<std::int64_t>(sums.size()) < fewest_units || answers < 1)
    return std::numeric_limits<double>::quiet_NaN();
  double squares = 0;
  for (const auto d : sums) squares += static_cast<double>(d) * static_cast<double>(d);
  static const double power = normal_quantile(0.975) + normal_quantile(0.8);
  return std::max(power * std::sqrt(squares), static_cast<double>(fewest_units)) /
         static_cast<double>(answers);
}

}  // namespace timbre::evaluation
