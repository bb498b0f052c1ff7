// Mel spectrogram of one segment: the piece that mel, log_mel and mfcc share.
#pragma once

#include <algorithm>

#include "features/mel_filters.hpp"
#include "features/stft.hpp"

namespace timbre::features {

class MelSpectrogram {
 public:
  MelSpectrogram(const FeatureOptions& options, std::int64_t segment_samples)
      : stft_(options, segment_samples), filters_(options) {}

  std::int64_t frames() const { return stft_.frames(); }
  std::int64_t bands() const { return filters_.size(); }

  /// segment [samples] -> out [frames, bands]
  void compute(const float* segment, float* out) {
    for (std::int64_t first = 0; first < frames(); first += stft_.block_frames()) {
      const auto count = std::min(stft_.block_frames(), frames() - first);
      filters_.apply(stft_.rows(segment, first, count), count, stft_.row_stride(), out + first * bands());
    }
  }

 private:
  Stft stft_;
  MelFilters filters_;
};

}  // namespace timbre::features
