// A window that slides over pictures (nn/layers/window.hpp), as kernels take it.
#pragma once

#include "core/philox.hpp"  // TIMBRE_HD
#include "cuda/support/divisor.cuh"
#include "cuda/support/kernel.hpp"
#include "nn/layers/window.hpp"

namespace timbre::cuda {

struct WindowSide {
  explicit WindowSide(const nn::WindowAxis& a)
      : in(std::int32_t(a.in)),
        kernel(std::int32_t(a.kernel)),
        stride(std::int32_t(a.stride)),
        out(std::int32_t(a.out)),
        before(std::int32_t(a.before)),
        padded(std::int32_t(a.padded())),
        by_in(in),
        by_kernel(kernel),
        by_stride(stride),
        by_out(out),
        by_padded(padded) {}
  std::int32_t in, kernel, stride, out, before;
  std::int32_t padded;  // in, with the padding of both ends
  Divisor by_in, by_kernel, by_stride, by_out, by_padded;
};
struct WindowGrid {
  WindowSide h, w;
  std::int64_t channels;
  Divisor by_channels;
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
  /// Where value i of pictures of some height x width x channels lies.
  template <class Index>
  TIMBRE_HD Place place_in(Index i, const Divisor& height, const Divisor& width) const {
    const auto [pixel, c] = by_channels(i);
    const auto [row, x] = width(pixel);
    const auto [picture, y] = height(row);
    return {static_cast<std::int64_t>(picture), static_cast<std::int64_t>(c), static_cast<std::int32_t>(y),
            static_cast<std::int32_t>(x)};
  }
};

inline WindowGrid window_grid(const nn::Window2D& w) {
  return {WindowSide(w.h), WindowSide(w.w), w.channels, Divisor(w.channels)};
}

/// The windows [first, end) that hold place `at` of a side.
struct WindowRange {
  std::int32_t first, end;
};
__device__ inline WindowRange windows_over(const WindowSide& s, std::int32_t at) {
  const auto over_stride = [&](std::int32_t n) {
    return static_cast<std::int32_t>(s.by_stride(static_cast<std::uint32_t>(n)).quotient);
  };
  const std::int32_t padded = at + s.before;
  const std::int32_t last = over_stride(padded);
  return {padded < s.kernel ? 0 : over_stride(padded - s.kernel) + 1, (last < s.out ? last : s.out - 1) + 1};
}

}  // namespace timbre::cuda
