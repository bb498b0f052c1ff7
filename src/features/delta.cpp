#include "features/delta.hpp"

#include <algorithm>

namespace timbre::features {

std::vector<double> delta_weights(int width, int order) {
  const int half = width / 2;
  std::vector<double> c;
  double mean = 0, sum = 0;
  for (int i = -half; i <= half; ++i) mean += double(i) * i / width;
  for (int i = -half; i <= half; ++i) c.push_back(order == 1 ? double(i) : double(i) * i - mean);
  for (const double v : c) sum += v * v;
  for (double& v : c) v *= order / sum;
  return c;
}

void take_delta(const float* x, std::int64_t frames, std::int64_t columns, std::int64_t stride,
                const std::vector<double>& weights, float* out, std::int64_t out_stride) {
  const auto width = std::ssize(weights);
  std::vector<double> sums(static_cast<std::size_t>(columns));
  for (std::int64_t t = 0; t < frames; ++t) {
    const float* from = x + std::clamp<std::int64_t>(t - width / 2, 0, frames - width) * stride;
    std::fill(sums.begin(), sums.end(), 0.0);
    for (const double w : weights) {
      for (std::int64_t k = 0; k < columns; ++k) sums[std::size_t(k)] += w * double(from[k]);
      from += stride;
    }
    for (std::int64_t k = 0; k < columns; ++k)
      out[t * out_stride + k] = static_cast<float>(sums[std::size_t(k)]);
  }
}

}  // namespace timbre::features
