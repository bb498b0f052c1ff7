// spectral_contrast: how far the peaks of each octave lie above its valleys, [T, n_bands + 1] in dB. As
// librosa.feature.spectral_contrast(y=y).
//
//   band 0: [0, fmin]; band b: [fmin 2^(b - 1), fmin 2^b], and the bin before; the last one holds all that is above, too;
//   but for it, a band leaves out its last bin
//   m = max(1, round(quantile * (bins of the band, with that one)))
//   peak, valley: the means of the m largest and of the m smallest magnitudes of the band
//   out = dB(peak) - dB(valley), dB as power_to_db: 10 log10(max(x, 1e-10)), at most 80 below the segment's largest;
//   out = peak - valley with linear: true
//
// Errors: RequestError where a band begins above half the sample rate, or holds no bin.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "config/forward.hpp"
#include "features/options.hpp"

namespace timbre::features {

struct SpectralContrastOptions {
  static constexpr auto part = "spectral_contrast";
  double fmin = 200.0;
  int n_bands = 6;
  double quantile = 0.02;
  bool linear = false;
};
const config::Schema<SpectralContrastOptions>& schema(config::of<SpectralContrastOptions>);

struct ContrastBand {
  std::int64_t first, count;  // bins
  std::int64_t taken;         // m above
};
/// All n_bands + 1. Options that were checked.
std::vector<ContrastBand> contrast_bands(const FeatureOptions& options);

}  // namespace timbre::features
