// zero_crossing_rate: the share of a frame's samples whose sign is not that of the sample before, [T, 1]. As
// librosa.feature.zero_crossing_rate(y).
//
//   out[t] = (number of crossings at frame samples 1 ... frame_length - 1, and 1 more with pad) / frame_length
//
// Samples of magnitude threshold or less (times ref_magnitude where it is given) count as 0, and 0 as positive; with
// zero_pos: false 0 is a sign of its own. A centred segment continues with its first and its last sample.
#pragma once

#include <optional>

#include "config/forward.hpp"

namespace timbre::features {

struct ZeroCrossingRateOptions {
  static constexpr auto part = "zero_crossing_rate";
  int frame_length = 2048;
  double threshold = 1e-10;
  std::optional<double> ref_magnitude;
  bool pad = false;
  bool zero_pos = true;
};
const config::Schema<ZeroCrossingRateOptions>& schema(config::of<ZeroCrossingRateOptions>);

}  // namespace timbre::features
