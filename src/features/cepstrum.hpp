// The DCT-II of cepstral coefficients, as a matrix: what every device multiplies frames in decibels with.
#pragma once

#include <cstdint>
#include <vector>

namespace timbre::features {

/// [bands, coefficients - 1]: sqrt(2 / bands) cos(pi j (2 m + 1) / (2 bands)) for j >= 1, computed in float64. The first
/// coefficient is the mean times sqrt(bands), taken apart (see mfcc.cpp).
std::vector<float> cepstral_cosines(std::int64_t bands, std::int64_t coefficients);

}  // namespace timbre::features
