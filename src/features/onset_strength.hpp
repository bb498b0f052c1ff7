// onset_strength: how much louder a frame's mel bands are than those of an earlier one, [T, 1]. As
// librosa.onset.onset_strength(y=y).
//
//   d = power_to_db(mel spectrogram), at most 80 dB below the segment's maximum
//   e[t] = aggregate over bands m of max(0, d[t, m] - (largest of d[t - lag, m'] over the max_size bands around m)), t >= lag
//   moved later by n_fft / (2 hop_length) frames where centred; zeros before
//   detrend: y[t] = e[t] - e[t - 1] + 0.99 y[t - 1]
//
// `center` is that of librosa's onset_strength; its frames are always centred.
#pragma once

#include <string>
#include <vector>

#include "config/forward.hpp"
#include "features/cpu_feature.hpp"
#include "features/mel_filters.hpp"

namespace timbre::features {

struct OnsetStrengthOptions {
  static constexpr auto part = "onset_strength";
  int lag = 1;
  int max_size = 1;
  bool detrend = false;
  bool center = true;
  std::string aggregate = "mean";  // mean | median
};
const config::Schema<OnsetStrengthOptions>& schema(config::of<OnsetStrengthOptions>);

/// By how many frames the envelope is later than the frames whose differences it holds: lag, and half a frame where centred.
std::int64_t onset_shift(const FeatureOptions& options, const OnsetStrengthOptions& own);

/// The envelope of one segment, block of frames after block; onset_strength and tempo have it.
class OnsetEnvelope {
 public:
  OnsetEnvelope(const FeatureOptions& options, const OnsetStrengthOptions& own, std::int64_t segment_samples);
  std::int64_t frames() const { return frames_; }
  void take(Spectra& spectra, std::int64_t first, std::int64_t count);
  /// After the last frame: [T]
  const std::vector<double>& finish();

 private:
  double strength(const double* now, const double* before);

  OnsetStrengthOptions o_;
  std::int64_t frames_, shift_;
  double power_;
  MelFilters filters_;
  AlignedFloats bands_;                         // [T, n_mels]
  std::vector<double> decibels_, differences_;  // [T, n_mels], [n_mels]
  std::vector<double> envelope_;
};

}  // namespace timbre::features
