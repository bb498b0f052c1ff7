// Frames that reach beyond a segment's ends, as numpy.pad continues it.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string_view>

namespace timbre::features {

enum class Padding { zeros, edge, reflect };

/// Of a pad_mode's name.
inline Padding padding_of(std::string_view pad_mode) {
  return pad_mode == "constant" ? Padding::zeros : pad_mode == "edge" ? Padding::edge : Padding::reflect;
}

/// Position in [0, n) of a sample outside it, mirrored without repeating the ends, as often as needed.
inline std::int64_t reflected(std::int64_t i, std::int64_t n) {
  if (n == 1) return 0;
  const std::int64_t period = 2 * (n - 1);
  i %= period;
  if (i < 0) i += period;
  return i < n ? i : period - i;
}

/// x[begin, begin + size) of a segment of `samples` samples, which continues beyond them -> out [size].
template <class Real>
void copy_padded(const float* x, std::int64_t samples, std::int64_t begin, std::int64_t size, Padding padding,
                 Real* out) {
  const auto end = begin + size;
  const auto inside_begin = std::clamp<std::int64_t>(0, begin, end),
             inside_end = std::clamp(samples, begin, end);
  const auto outside = [&](std::int64_t i) {
    if (padding == Padding::zeros) return Real(0);
    return Real(
        x[padding == Padding::edge ? std::clamp<std::int64_t>(i, 0, samples - 1) : reflected(i, samples)]);
  };
  for (auto i = begin; i < inside_begin; ++i) out[i - begin] = outside(i);
  if (inside_begin < inside_end) std::copy(x + inside_begin, x + inside_end, out + (inside_begin - begin));
  for (auto i = std::max(inside_begin, inside_end); i < end; ++i) out[i - begin] = outside(i);
}

}  // namespace timbre::features
