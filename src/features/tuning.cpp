#include "features/tuning.hpp"

#include <algorithm>
#include <cmath>

#include "features/frequencies.hpp"

namespace timbre::features {
namespace {

constexpr double lowest = 150, highest = 4000, share = 0.1;  // piptrack's fmin, fmax, threshold
constexpr int steps = 100;                                   // of one hundredth

double median(std::vector<double>& x) {
  const auto half = x.begin() + std::ssize(x) / 2;
  std::nth_element(x.begin(), half, x.end());
  if (x.size() % 2 == 1) return *half;
  return 0.5 * (*std::max_element(x.begin(), half) + *half);
}

/// numpy.linspace(-0.5, 0.5, steps + 1)
double edge(int i) { return i == steps ? 0.5 : i * (1.0 / steps) + -0.5; }

}  // namespace

TuningEstimate::TuningEstimate(int sample_rate, std::int64_t bins, int bins_per_octave)
    : bins_(bins), bins_per_octave_(bins_per_octave) {
  // (piptrack sees only S: it takes n_fft for even.)
  const auto n_fft = 2 * (bins - 1);
  rate_per_bin_ = double(sample_rate) / double(n_fft);
  const auto f = bin_frequencies(sample_rate, static_cast<int>(n_fft));
  low_ = std::lower_bound(f.begin(), f.end(), lowest) - f.begin();
  high_ = std::lower_bound(f.begin(), f.end(), std::min(highest, sample_rate / 2.0)) - f.begin();
}

void TuningEstimate::add(const double* row) {
  const double largest = vectorised([&] {
    constexpr std::int64_t lanes = 16;
    double top[lanes] = {}, out = 0;
    std::int64_t i = 0;
    for (; i + lanes <= bins_; i += lanes)
      for (std::int64_t j = 0; j < lanes; ++j) top[j] = row[i + j] > top[j] ? row[i + j] : top[j];
    for (; i < bins_; ++i) out = row[i] > out ? row[i] : out;
    for (const double t : top) out = t > out ? t : out;
    return out;
  });
  const double threshold = share * largest;
  const auto kept = [&](std::int64_t k) { return row[k] > threshold ? row[k] : 0.0; };
  for (auto k = std::max<std::int64_t>(low_, 1); k < high_; ++k) {
    if (!(row[k] > threshold)) continue;
    const bool is_last = k == bins_ - 1;
    if (!(row[k] > kept(k - 1)) || (!is_last && !(row[k] >= kept(k + 1)))) continue;
    double shift = 0, slope = is_last ? row[k] - row[k - 1] : (row[k + 1] - row[k - 1]) / 2;
    if (!is_last) {
      const double a = row[k + 1] + row[k - 1] - 2 * row[k], b = (row[k + 1] - row[k - 1]) / 2;
      if (std::abs(b) < std::abs(a)) shift = -b / a;
    }
    peaks_.push_back({(double(k) + shift) * rate_per_bin_, row[k] + 0.5 * slope * shift});
  }
}

double TuningEstimate::result() {
  if (peaks_.empty()) return 0;
  heights_.clear();
  for (const auto& p : peaks_) heights_.push_back(p.height);
  const double threshold = median(heights_);
  int counts[steps] = {};
  for (const auto& p : peaks_) {
    if (!(p.height >= threshold)) continue;
    const double octaves = std::log2(p.pitch / (440.0 / 16));
    double residual = bins_per_octave_ * octaves;
    residual -= std::floor(residual);
    if (residual >= 0.5) residual -= 1;
    int i = std::clamp(static_cast<int>((residual + 0.5) * steps), 0, steps - 1);
    while (i > 0 && residual < edge(i)) --i;
    while (i + 1 < steps && residual >= edge(i + 1)) ++i;
    ++counts[i];
  }
  return edge(static_cast<int>(std::max_element(counts, counts + steps) - counts));
}

}  // namespace timbre::features
