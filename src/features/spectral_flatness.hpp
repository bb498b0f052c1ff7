// spectral_flatness: how much a frame is like noise (1) rather than like tones (0), [T, 1]. As
// librosa.feature.spectral_flatness(y=y).
//
//   s[t, k] = max(amin, |X[t, k]|^power)
//   out[t] = exp(mean over k of ln s[t, k]) / mean over k of s[t, k]
#pragma once

#include "config/forward.hpp"

namespace timbre::features {

struct SpectralFlatnessOptions {
  static constexpr auto part = "spectral_flatness";
  double amin = 1e-10;
  double power = 2.0;
};
const config::Schema<SpectralFlatnessOptions>& schema(config::of<SpectralFlatnessOptions>);

}  // namespace timbre::features
