// spectral_rolloff: the frequency below which most of a frame's magnitude lies, [T, 1] in Hz. As
// librosa.feature.spectral_rolloff(y=y).
//
//   out[t] = the first f_k where sum over j <= k of |X[t, j]| >= roll_percent * (sum over all j)
#pragma once

#include "config/forward.hpp"

namespace timbre::features {

struct SpectralRolloffOptions {
  static constexpr auto part = "spectral_rolloff";
  double roll_percent = 0.85;
};
const config::Schema<SpectralRolloffOptions>& schema(config::of<SpectralRolloffOptions>);

}  // namespace timbre::features
