// Pictures as the rows of a matrix, and back:
//
//   columns [pictures * H' * W', kh * kw * C]: row p holds the window at place p, zeros where it reaches over the edge
//
// The kernel (kh, kw, C, filters) in Keras's layout is then the matrix [kh * kw * C, filters] as it lies.
// Where channels are a multiple of four, a thread takes four at once.
#pragma once

#include "cuda/layers/window.cuh"
#include "cuda/support/divisor.cuh"
#include "cuda/support/elementwise.cuh"

namespace timbre::cuda {

// Values is float or float4.
inline __device__ void add_to(float& sum, float v) { sum += v; }
inline __device__ void add_to(float4& sum, const float4& v) {
  sum.x += v.x, sum.y += v.y, sum.z += v.z, sum.w += v.w;
}

/// One Values of `columns`.
template <class Values>
struct WindowsToColumns {
  WindowsToColumns(const WindowGrid& grid, const float* from, float* to)
      : w(grid),
        channels(grid.channels * std::int64_t{sizeof(float)} / std::int64_t{sizeof(Values)}),
        size(grid.input_size() * std::int64_t{sizeof(float)} / std::int64_t{sizeof(Values)}),
        x(reinterpret_cast<const Values*>(from)),
        columns(reinterpret_cast<Values*>(to)) {}
  template <class Index>
  __device__ void operator()(Index i) const {
    const auto [window, c] = channels(i);
    const auto [window_row, b] = w.w.by_kernel(window);
    const auto [place, a] = w.h.by_kernel(window_row);
    const auto [place_row, ow] = w.w.by_out(place);
    const auto [picture, oh] = w.h.by_out(place_row);
    const std::int32_t ih = static_cast<std::int32_t>(oh) * w.h.stride - w.h.before +
                            static_cast<std::int32_t>(a),
                       iw = static_cast<std::int32_t>(ow) * w.w.stride - w.w.before +
                            static_cast<std::int32_t>(b);
    const bool inside = ih >= 0 && ih < w.h.in && iw >= 0 && iw < w.w.in;
    const auto pixel = static_cast<std::int64_t>(ih) * w.w.in + iw;
    columns[i] =
        inside ? x[static_cast<std::int64_t>(picture) * size + pixel * channels.divisor() + c] : Values{};
  }

  WindowGrid w;
  Divisor channels;   // in Values
  std::int64_t size;  // of a picture, in Values
  const Values* x;
  Values* columns;
};

/// One Values of dx: the sum of the entries of `columns` that stand for it, in a fixed order.
template <class Values>
struct ColumnsToWindows {
  ColumnsToWindows(const WindowGrid& grid, const float* from, float* to)
      : w(grid),
        channels(grid.channels * std::int64_t{sizeof(float)} / std::int64_t{sizeof(Values)}),
        width(static_cast<std::int64_t>(grid.h.kernel) * grid.w.kernel * channels.divisor()),
        columns(reinterpret_cast<const Values*>(from)),
        dx(reinterpret_cast<Values*>(to)) {}
  template <class Index>
  __device__ void operator()(Index i) const {
    const auto [pixel, c] = channels(i);
    const auto [row, column] = w.w.by_in(pixel);
    const auto [picture, line] = w.h.by_in(row);
    const auto ih = static_cast<std::int32_t>(line), iw = static_cast<std::int32_t>(column);
    const std::int64_t first_place = static_cast<std::int64_t>(picture) * w.places();
    const WindowRange rows = windows_over(w.h, ih), places = windows_over(w.w, iw);
    Values sum{};
    for (std::int32_t oh = rows.first; oh < rows.end; ++oh)
      for (std::int32_t ow = places.first; ow < places.end; ++ow) {
        const std::int32_t a = ih + w.h.before - oh * w.h.stride, b = iw + w.w.before - ow * w.w.stride;
        add_to(sum, columns[(first_place + static_cast<std::int64_t>(oh) * w.w.out + ow) * width +
                            (static_cast<std::int64_t>(a) * w.w.kernel + b) * channels.divisor() + c]);
      }
    dx[i] = sum;
  }

  WindowGrid w;
  Divisor channels;    // in Values
  std::int64_t width;  // of a row of columns, in Values
  const Values* columns;
  Values* dx;
};

template <template <class> class Body>
void for_each_channels(cudaStream_t stream, const WindowGrid& grid, std::int64_t n, const float* from,
                       float* to) {
  if (grid.channels % 4 == 0)
    for_each_element(stream, n / 4, Body<float4>(grid, from, to));
  else
    for_each_element(stream, n, Body<float>(grid, from, to));
}
/// Arrays of four channels and more begin at a multiple of 16 bytes.
inline void windows_to_columns(cudaStream_t stream, const WindowGrid& grid, std::int64_t pictures,
                               const float* x, float* columns) {
  for_each_channels<WindowsToColumns>(stream, grid, pictures * grid.places() * grid.window_size(), x,
                                      columns);
}
inline void columns_to_windows(cudaStream_t stream, const WindowGrid& grid, std::int64_t pictures,
                               const float* columns, float* dx) {
  for_each_channels<ColumnsToWindows>(stream, grid, pictures * grid.input_size(), columns, dx);
}

}  // namespace timbre::cuda
