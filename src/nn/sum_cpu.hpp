// The sum of two arrays on the CPU: what ends a block, and what brings gradients of one array together.
#pragma once

#include <cstdint>

#include "core/parallel.hpp"
#include "core/simd.hpp"

namespace timbre::nn {

/// y = a + b, `count` values; y may be a.
inline void add_arrays(ThreadPool& pool, std::int64_t count, const float* a, const float* b, float* y) {
  constexpr std::int64_t piece_size = 1 << 15;
  const auto pieces = piece_count(count, piece_size);
  const auto add = [&](std::int64_t i, int) {
    const auto part = piece_of(count, pieces, i);
    vectorised([&] {
      for (auto k = part.begin; k < part.end; ++k) y[k] = a[k] + b[k];
    });
  };
  if (pieces == 1) return add(0, 0);  // less than waking a thread costs
  pool.parallel_for(pieces, add);
}

}  // namespace timbre::nn
