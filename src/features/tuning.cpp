#include "features/tuning.hpp"

#include <algorithm>
#include <cmath>

#include "features/frequencies.hpp"

namespace timbre::features {
namespace {

constexpr double lowest = 150, highest = 4000;  // piptrack's fmin, fmax, in Hz

double median(std::vector<double>& x) {
  const auto half = x.begin() + std::ssize(x) / 2;
  std::nth_element(x.begin(), half, x.end());
  if (x.size() % 2 == 1) return *half;
  return 0.5 * (*std::max_element(x.begin(), half) + *half);
}

}  // namespace

TuningRange::TuningRange(int sample_rate, std::int64_t bins) {
  // (piptrack sees only S: it takes n_fft for even.)
  const auto n_fft = 2 * (bins - 1);
  rate_per_bin = double(sample_rate) / double(n_fft);
  const auto f = bin_frequencies(sample_rate, static_cast<int>(n_fft));
  low = std::max<std::ptrdiff_t>(1, std::lower_bound(f.begin(), f.end(), lowest) - f.begin());
  high = std::lower_bound(f.begin(), f.end(), std::min(highest, sample_rate / 2.0)) - f.begin();
}

TuningEstimate::TuningEstimate(int sample_rate, std::int64_t bins, int bins_per_octave)
    : range_(sample_rate, bins), bins_(bins), bins_per_octave_(bins_per_octave) {}

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
  for (auto k = range_.low; k < range_.high; ++k) {
    const auto peak =
        TuningPeak::at([&](std::int64_t i) { return row[i]; }, k, bins_, tuning_share * largest);
    if (peak.height >= 0) peaks_.push_back({peak.place * range_.rate_per_bin, peak.height});
  }
}

double TuningEstimate::result() {
  if (peaks_.empty()) return 0;
  heights_.clear();
  for (const auto& p : peaks_) heights_.push_back(p.height);
  const double threshold = median(heights_);
  int counts[tuning_steps] = {};
  for (const auto& p : peaks_)
    if (p.height >= threshold) ++counts[tuning_hundredth(p.pitch, bins_per_octave_)];
  return tuning_edge(static_cast<int>(std::max_element(counts, counts + tuning_steps) - counts));
}

}  // namespace timbre::features
