// Pictures as the rows of a matrix, and back:
//
//   columns [pictures * H' * W', kh * kw * C]: row p holds the window at place p, zeros where it reaches over the edge
//
// The kernel (kh, kw, C, filters) in Keras's layout is then the matrix [kh * kw * C, filters] as it lies.
#pragma once

#include "cuda/layers/window.cuh"
#include "cuda/support/elementwise.cuh"

namespace timbre::cuda {

/// One value of `columns`.
struct WindowsToColumns {
  WindowGrid w;
  const float* x;
  float* columns;
  template <class Index>
  __device__ void operator()(Index i) const {
    const auto channels = static_cast<Index>(w.channels);
    const Index c = i % channels;
    Index rest = i / channels;
    const auto next = [&](std::int32_t size) {
      const auto n = static_cast<Index>(size), value = rest % n;
      rest /= n;
      return static_cast<std::int32_t>(value);
    };
    const std::int32_t b = next(w.w.kernel), a = next(w.h.kernel), ow = next(w.w.out), oh = next(w.h.out);
    const std::int32_t ih = oh * w.h.stride - w.h.before + a, iw = ow * w.w.stride - w.w.before + b;
    const bool inside = ih >= 0 && ih < w.h.in && iw >= 0 && iw < w.w.in;
    columns[i] = inside ? x[static_cast<std::int64_t>(rest) * w.input_size() +
                            (static_cast<std::int64_t>(ih) * w.w.in + iw) * w.channels + c]
                        : 0.0f;
  }
};

/// One value of dx: the sum of the entries of `columns` that stand for it, in a fixed order.
struct ColumnsToWindows {
  WindowGrid w;
  const float* columns;
  float* dx;
  template <class Index>
  __device__ void operator()(Index i) const {
    const auto at = w.place_in(i, w.h.in, w.w.in);
    const auto c = at.channel;
    const std::int32_t ih = at.h, iw = at.w;
    const std::int64_t first_place = at.picture * w.places();
    const std::int64_t width = static_cast<std::int64_t>(w.h.kernel) * w.w.kernel * w.channels;
    const WindowRange rows = windows_over(w.h, ih), places = windows_over(w.w, iw);
    float sum = 0;
    for (std::int32_t oh = rows.first; oh < rows.end; ++oh)
      for (std::int32_t ow = places.first; ow < places.end; ++ow) {
        const std::int32_t a = ih + w.h.before - oh * w.h.stride, b = iw + w.w.before - ow * w.w.stride;
        sum += columns[(first_place + static_cast<std::int64_t>(oh) * w.w.out + ow) * width +
                       (static_cast<std::int64_t>(a) * w.w.kernel + b) * w.channels + c];
      }
    dx[i] = sum;
  }
};

inline void windows_to_columns(cudaStream_t stream, const WindowGrid& grid, std::int64_t pictures,
                               const float* x, float* columns) {
  for_each_element(stream, pictures * grid.places() * grid.window_size(), WindowsToColumns{grid, x, columns});
}
inline void columns_to_windows(cudaStream_t stream, const WindowGrid& grid, std::int64_t pictures,
                               const float* columns, float* dx) {
  for_each_element(stream, pictures * grid.input_size(), ColumnsToWindows{grid, columns, dx});
}

}  // namespace timbre::cuda
