// Power to decibels, librosa.power_to_db with ref 1 and amin 1e-10:
//
//   y = 10 log10(max(x, 1e-10)),  then y = max(y, max over all values of y - top_db)
//
// The logarithm is a polynomial that vectorises; its error is below 3e-5 dB over the range of float32.
#pragma once

#include <cstdint>
#include <optional>

namespace timbre::features {

/// In place, over the `size` values of one segment. Values must not be negative; an infinite one becomes 385 dB.
void power_to_db(float* values, std::int64_t size, std::optional<double> top_db);

}  // namespace timbre::features
