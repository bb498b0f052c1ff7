#include "features/decibel.hpp"

#include <bit>
#include <limits>

#include "core/simd.hpp"

namespace timbre::features {
namespace {

constexpr float smallest = 1e-10f;

/// 10 log10(x) for normal x > 0. x = 2^e m with m in [sqrt(1/2), sqrt(2)); log(m) as in Cephes' logf.
inline float decibels(float x) {
  constexpr std::uint32_t root_half = 0x3f3504f3u;
  const auto bits = std::bit_cast<std::uint32_t>(x) - root_half;
  const auto e = static_cast<float>(static_cast<std::int32_t>(bits) >> 23);
  const float f = std::bit_cast<float>((bits & 0x007fffffu) + root_half) - 1.0f;
  float p = 7.0376836292e-2f;
  p = p * f - 1.1514610310e-1f;
  p = p * f + 1.1676998740e-1f;
  p = p * f - 1.2420140846e-1f;
  p = p * f + 1.4249322787e-1f;
  p = p * f - 1.6668057665e-1f;
  p = p * f + 2.0000714765e-1f;
  p = p * f - 2.4999993993e-1f;
  p = p * f + 3.3333331174e-1f;
  const float log_m = f + (f * f) * (p * f - 0.5f);
  return e * 3.01029995664f + log_m * 4.34294481903f;
}

/// Largest value; the order of comparison does not matter to the result.
TIMBRE_SIMD float largest_of(const float* values, std::int64_t size) {
  constexpr std::int64_t lanes = 16;
  float top[lanes];
  for (float& t : top) t = smallest;
  std::int64_t i = 0;
  for (; i + lanes <= size; i += lanes)
    for (std::int64_t j = 0; j < lanes; ++j) top[j] = values[i + j] > top[j] ? values[i + j] : top[j];
  float largest = smallest;
  for (; i < size; ++i) largest = values[i] > largest ? values[i] : largest;
  for (const float t : top) largest = t > largest ? t : largest;
  return largest;
}

TIMBRE_SIMD void convert(float* values, std::int64_t size, float floor) {
  for (std::int64_t i = 0; i < size; ++i) {
    const float y = decibels(values[i] > smallest ? values[i] : smallest);
    values[i] = y > floor ? y : floor;
  }
}

}  // namespace

void power_to_db(float* values, std::int64_t size, std::optional<double> top_db) {
  float floor = std::numeric_limits<float>::lowest();
  if (top_db) floor = static_cast<float>(decibels(largest_of(values, size)) - *top_db);
  convert(values, size, floor);
}

}  // namespace timbre::features
