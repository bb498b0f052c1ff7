// Mel bands of a block of frames: the piece that mel, log_mel, mfcc and onset_strength share.
#pragma once

#include "features/cpu_feature.hpp"
#include "features/engine.hpp"
#include "features/mel_filters.hpp"

namespace timbre::features {

class MelSpectrogram {
 public:
  MelSpectrogram(const FeatureOptions& options, std::int64_t segment_samples)
      : frames_(frame_count(options, segment_samples)), power_(options.power), filters_(options) {}

  std::int64_t frames() const { return frames_; }
  std::int64_t bands() const { return filters_.size(); }
  std::int64_t size() const { return frames() * bands(); }

  /// Frames [first, first + count) -> their rows of out [frames, bands]
  void take(Spectra& spectra, std::int64_t first, std::int64_t count, float* out) const {
    filters_.apply(spectra.rows(power_), count, spectra.row_stride(), out + first * bands());
  }

 private:
  std::int64_t frames_;
  double power_;
  MelFilters filters_;
};

}  // namespace timbre::features
