// Triangular mel filters, stored without their zeros (librosa.filters.mel).
//
//   weight[m, k] = max(0, min((f_k - c_m) / (c_(m+1) - c_m), (c_(m+2) - f_k) / (c_(m+2) - c_(m+1))))
//   f_k = k sample_rate / n_fft; c: n_mels + 2 frequencies evenly spaced on the mel scale from fmin to fmax
//   norm slaney: times 2 / (c_(m+2) - c_m)
//
// Scales: htk  mel = 2595 log10(1 + f / 700); slaney  3 f / 200 below 1000 Hz, 15 + 27 ln(f / 1000) / ln 6.4 above.
// Filters narrower than the distance of two bins may be empty and then give 0, as librosa's do.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "features/aligned.hpp"
#include "features/options.hpp"

namespace timbre::features {

/// The bins where a filter's weights are not zero.
struct MelFilter {
  std::int32_t first;   // bin of the first weight
  std::int32_t groups;  // number of groups of eight weights
};

/// c above, in Hz, [n_mels + 2]: band m is centred on element m + 1.
std::vector<double> mel_frequencies(const FeatureOptions& options);

/// Says how many bands hold no bin, whose values are the same in every frame; "" where all hold one.
std::string note_on_empty_bands(const FeatureOptions& options);

class MelFilters {
 public:
  explicit MelFilters(const FeatureOptions& options);

  std::int64_t size() const { return static_cast<std::int64_t>(filters_.size()); }
  /// rows [count, stride] of bins, with eight readable values behind the last bin -> out [count, size()].
  /// Each sum is taken over eight lanes in a fixed order.
  void apply(const float* rows, std::int64_t count, std::int64_t stride, float* out) const;
  /// As a matrix [size(), bins], for tests and pictures.
  std::vector<float> dense() const;
  /// As they are stored: filter m has 8 * groups weights, which follow those of filter m - 1.
  const std::vector<MelFilter>& filters() const { return filters_; }
  const AlignedFloats& weights() const { return weights_; }

 private:
  std::int64_t bins_;
  std::vector<MelFilter> filters_;
  AlignedFloats weights_;  // padded with zeros to groups of eight
};

}  // namespace timbre::features
