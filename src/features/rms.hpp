// rms: the root of the mean square of a frame's samples, [T, 1]. As librosa.feature.rms(y=y).
//
//   out[t] = sqrt(sum over n < frame_length of x[t hop + n - pad]^2 / frame_length),  pad = frame_length / 2 if centred
//
// x continues beyond the segment as pad_mode says.
#pragma once

#include "config/forward.hpp"

namespace timbre::features {

struct RmsOptions {
  static constexpr auto part = "rms";
  int frame_length = 2048;
};
const config::Schema<RmsOptions>& schema(config::of<RmsOptions>);

}  // namespace timbre::features
