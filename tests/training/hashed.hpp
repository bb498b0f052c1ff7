// Numbers that tests and golden scripts compute alike: tests/golden/keras_training.py, hashed().
#pragma once

#include <cstdint>
#include <vector>

namespace timbre::test {

/// Uniform in [-1, 1).
inline float hashed(std::uint64_t index, std::uint32_t salt) {
  auto h = static_cast<std::uint32_t>(index * 2654435761u + salt * std::uint64_t{2246822519u});
  h ^= h >> 15, h *= 2246822519u, h ^= h >> 13, h *= 3266489917u, h ^= h >> 16;
  return static_cast<float>(h / 2147483648.0 - 1.0);
}

inline std::vector<float> hashed_values(std::size_t count, std::uint32_t salt, float scale = 1) {
  std::vector<float> v(count);
  for (std::size_t i = 0; i < count; ++i) v[i] = hashed(i, salt) * scale;
  return v;
}

}  // namespace timbre::test
