// tempo: beats a minute, one number of a whole segment, which stands in each of its frames, [T, 1]. As
// librosa.feature.tempo(y=y).
//
//   e: onset_strength with librosa's defaults (n_fft 2048)
//   of each frame t the autocorrelation a[t, l] of e around t, under a periodic Hann window of W frames (ac_size seconds),
//     divided by its largest magnitude; beyond its ends e falls to 0 in W / 2 steps
//   score[l] = ln(1 + 10^6 mean over t of a[t, l]) - 0.5 ((log2 bpm[l] - log2 start_bpm) / std_bpm)^2
//   out = bpm[l] = 60 sample_rate / (hop_length l) of the best l > 0 with bpm[l] < max_tempo
#pragma once

#include <optional>

#include "config/forward.hpp"

namespace timbre::features {

struct TempoOptions {
  static constexpr auto part = "tempo";
  double start_bpm = 120;
  double std_bpm = 1;
  double ac_size = 8;
  std::optional<double> max_tempo = 320.0;
};
const config::Schema<TempoOptions>& schema(config::of<TempoOptions>);

}  // namespace timbre::features
