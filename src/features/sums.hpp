// Sums in float64 in one order on every instruction set: eight lanes, then what is left, then the lanes.
#pragma once

#include <cstdint>

namespace timbre::features {

/// The sum of term(i), 0 <= i < n. Called inside vectorised(), its loop becomes vectors.
template <class Term>
inline double sum_of(std::int64_t n, const Term& term) {
  constexpr std::int64_t lanes = 8;
  double partial[lanes] = {}, sum = 0;
  std::int64_t i = 0;
  for (; i + lanes <= n; i += lanes)
    for (std::int64_t j = 0; j < lanes; ++j) partial[j] += term(i + j);
  for (; i < n; ++i) sum += term(i);
  for (const double p : partial) sum += p;
  return sum;
}

}  // namespace timbre::features
