#include "features/decibel.hpp"

#include <limits>

#include "core/simd.hpp"

namespace timbre::features {
namespace {

constexpr float smallest = smallest_power;

/// Largest value; the order of comparison does not matter to the result.
float largest_of(const float* values, std::int64_t size) {
  return vectorised([&] {
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
  });
}

void convert(float* values, std::int64_t size, float floor) {
  vectorised([&] {
    for (std::int64_t i = 0; i < size; ++i) {
      const float y = decibels(values[i] > smallest ? values[i] : smallest);
      values[i] = y > floor ? y : floor;
    }
  });
}

}  // namespace

void power_to_db(float* values, std::int64_t size, std::optional<double> top_db) {
  float floor = std::numeric_limits<float>::lowest();
  if (top_db) floor = static_cast<float>(decibels(largest_of(values, size)) - *top_db);
  convert(values, size, floor);
}

}  // namespace timbre::features
