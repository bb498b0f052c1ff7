// tempo: beats a minute, one number of a whole segment, which stands in each of its frames, [T, 1]. As
// librosa.feature.tempo(y=y).
//
//   e: onset_strength with librosa's defaults (n_fft 2048)
//   of each frame t the autocorrelation a[t, l] of e around t, under a periodic Hann window of W frames (ac_size seconds),
//     divided by its largest magnitude; beyond its ends e falls to 0 in W / 2 steps
//   score[l] = ln(1 + 10^6 mean over t of a[t, l]) - 0.5 ((log2 bpm[l] - log2 start_bpm) / std_bpm)^2
//   out = bpm[l] = 60 sample_rate / (hop_length l) of the best l > 0 with bpm[l] < max_tempo
#pragma once

#include <cmath>
#include <cstdint>
#include <optional>

#include "config/forward.hpp"
#include "core/philox.hpp"  // TIMBRE_HD

namespace timbre::features {

struct TempoOptions {
  static constexpr auto part = "tempo";
  double start_bpm = 120;
  double std_bpm = 1;
  double ac_size = 8;
  std::optional<double> max_tempo = 320.0;
};
const config::Schema<TempoOptions>& schema(config::of<TempoOptions>);

struct FeatureOptions;
/// W, which is the number of lags, too.
std::int64_t tempo_lags(const FeatureOptions& options);

/// bpm and score above; CPU and CUDA kernel share them.
struct TempoScore {
  double samples_per_minute, hop_length, start_bpm, std_bpm, max_tempo;  // max_tempo may be infinite
  explicit TempoScore(const FeatureOptions& options);
  TIMBRE_HD double bpm(std::int64_t lag) const { return samples_per_minute / (hop_length * double(lag)); }
  TIMBRE_HD bool allowed(std::int64_t lag) const { return bpm(lag) < max_tempo; }
  TIMBRE_HD double of(std::int64_t lag, double mean) const {
    const double away = (log2(bpm(lag)) - log2(start_bpm)) / std_bpm;
    return log1p(1e6 * mean) - 0.5 * away * away;
  }
};

}  // namespace timbre::features
