// A window that slides over pictures (nn/layers/window.hpp), as kernels take it.
#pragma once

#include "core/philox.hpp"  // TIMBRE_HD
#include "cuda/support/kernel.hpp"
#include "nn/layers/window.hpp"

namespace timbre::cuda {

struct WindowSide {
  std::int32_t in, kernel, stride, out, before;
};
struct WindowGrid {
  WindowSide h, w;
  std::int64_t channels;
  TIMBRE_HD std::int64_t input_size() const { return static_cast<std::int64_t>(h.in) * w.in * channels; }
  TIMBRE_HD std::int64_t output_size() const { return places() * channels; }
  TIMBRE_HD std::int64_t places() const { return static_cast<std::int64_t>(h.out) * w.out; }
  TIMBRE_HD std::int64_t window_size() const {
    return static_cast<std::int64_t>(h.kernel) * w.kernel * channels;
  }
  struct Place {
    std::int64_t picture, channel;
    std::int32_t h, w;
  };
  /// Where value i of pictures of `height` x `width` x channels lies.
  template <class Index>
  TIMBRE_HD Place place_in(Index i, std::int32_t height, std::int32_t width) const {
    const auto c = static_cast<Index>(channels), x = static_cast<Index>(width),
               y = static_cast<Index>(height);
    const Index pixel = i / c, row = pixel / x;
    return {static_cast<std::int64_t>(row / y), static_cast<std::int64_t>(i % c),
            static_cast<std::int32_t>(row % y), static_cast<std::int32_t>(pixel % x)};
  }
};

inline WindowGrid window_grid(const nn::Window2D& w) {
  const auto side = [](const nn::WindowAxis& a) {
    return WindowSide{std::int32_t(a.in), std::int32_t(a.kernel), std::int32_t(a.stride), std::int32_t(a.out),
                      std::int32_t(a.before)};
  };
  return {side(w.h), side(w.w), w.channels};
}

/// The windows [first, end) that hold place `at` of a side.
struct WindowRange {
  std::int32_t first, end;
};
__device__ inline WindowRange windows_over(const WindowSide& s, std::int32_t at) {
  const std::int32_t padded = at + s.before;
  const std::int32_t last = padded / s.stride;
  return {padded < s.kernel ? 0 : (padded - s.kernel) / s.stride + 1, (last < s.out ? last : s.out - 1) + 1};
}

}  // namespace timbre::cuda
