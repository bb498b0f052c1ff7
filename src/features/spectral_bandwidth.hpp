// spectral_bandwidth: how far the frequencies of a frame lie from their mean, [T, 1] in Hz. As
// librosa.feature.spectral_bandwidth(y=y).
//
//   out[t] = (sum over k of s[t, k] |f_k - centroid[t]|^p)^(1 / p),  s = |X| / sum over k of |X|, or |X| with norm: false
#pragma once

#include "config/forward.hpp"

namespace timbre::features {

struct SpectralBandwidthOptions {
  static constexpr auto part = "spectral_bandwidth";
  double p = 2.0;
  bool norm = true;
};
const config::Schema<SpectralBandwidthOptions>& schema(config::of<SpectralBandwidthOptions>);

}  // namespace timbre::features
