// What tests of feature kernels begin with.
#pragma once

#include "kernel_harness.hpp"

namespace timbre::cuda {

inline std::vector<float2> random_spectrum(std::size_t n) {
  const auto re = random_values(n, 3, -4, 4), im = random_values(n, 4, -4, 4);
  std::vector<float2> z(n);
  for (std::size_t i = 0; i < n; ++i) z[i] = {re[i], im[i]};
  return z;
}

inline std::vector<double2> random_exact_spectrum(std::size_t n) {
  std::vector<double2> z;
  for (const auto v : random_spectrum(n)) z.push_back({double(v.x), double(v.y)});
  return z;
}

inline double total(const std::vector<double>& row) {
  double sum = 0;
  for (const double m : row) sum += m;
  return sum;
}

}  // namespace timbre::cuda
