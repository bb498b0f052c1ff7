// Changes of coefficients over time: librosa.feature.delta with mode interp, which is SciPy's savgol_filter with
// polyorder = deriv = order.
//
//   out[t] = sum over j of c[j] x[s + j],  s = clamp(t - width / 2, 0, T - width)
//   order 1: c[j] = i / sum of i^2,                                i = j - width / 2
//   order 2: c[j] = 2 (i^2 - m) / sum of (i^2 - m)^2,              m = mean of i^2
//
// That is the slope, or the curvature, of the polynomial that fits `width` frames best; at both ends the first and the last
// fit hold on. width is odd and at least 3; there must be as many frames.
#pragma once

#include <cstdint>
#include <vector>

namespace timbre::features {

/// c above, [width], computed in float64.
std::vector<double> delta_weights(int width, int order);

/// x [frames, columns], rows `stride` apart -> out likewise. Sums are taken in float64.
void take_delta(const float* x, std::int64_t frames, std::int64_t columns, std::int64_t stride,
                const std::vector<double>& weights, float* out, std::int64_t out_stride);

}  // namespace timbre::features
