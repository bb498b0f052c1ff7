// Logarithms of probabilities, as the losses and the networks compute them:
//
//   log p_c = (z_c - max z) - log(sum over k of e^(z_k - max z))
//
// Large logits neither overflow nor lose digits.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace timbre::nn {

/// Calls each(c, log p_c) for every class of one row of logits.
template <class Each>
void for_each_log_probability(const float* z, std::int64_t classes, Each each) {
  const float top = *std::max_element(z, z + classes);
  float sum = 0;
  for (std::int64_t c = 0; c < classes; ++c) sum += std::exp(z[c] - top);
  const float log_sum = std::log(sum);
  for (std::int64_t c = 0; c < classes; ++c) each(c, z[c] - top - log_sum);
}

}  // namespace timbre::nn
