// cuDNN's convolutions differ from Keras's in two things: weights are (filters, kh, kw, C), and pictures must be padded before
// where the padding of the two ends differs.
#pragma once

#include "cuda/layers/window.cuh"
#include "cuda/support/elementwise.cuh"

namespace timbre::cuda {

/// One value of to [columns, rows] = the transpose of from [rows, columns].
struct Transposed {
  const float* from;
  float* to;
  std::int64_t rows, columns;
  template <class Index>
  __device__ void operator()(Index i) const {
    const auto n = static_cast<Index>(rows);
    to[i] = from[static_cast<std::int64_t>(i % n) * columns + i / n];
  }
};

/// One value of a padded picture: that of x, or zero.
struct PadPicture {
  WindowGrid w;
  const float* x;
  float* padded;
  template <class Index>
  __device__ void operator()(Index i) const {
    const auto at = w.place_in(i, w.h.by_padded, w.w.by_padded);
    const std::int32_t ih = at.h - w.h.before, iw = at.w - w.w.before;
    const bool inside = ih >= 0 && ih < w.h.in && iw >= 0 && iw < w.w.in;
    padded[i] = inside ? x[at.picture * w.input_size() +
                           (static_cast<std::int64_t>(ih) * w.w.in + iw) * w.channels + at.channel]
                       : 0.0f;
  }
};

/// One value of dx from the gradient of the padded picture, which holds zeros where no window reaches.
struct CropPicture {
  WindowGrid w;
  const float* padded;
  float* dx;
  template <class Index>
  __device__ void operator()(Index i) const {
    const auto at = w.place_in(i, w.h.by_in, w.w.by_in);
    const std::int32_t h = at.h + w.h.before, x = at.w + w.w.before;
    dx[i] = padded[((at.picture * w.h.padded + h) * w.w.padded + x) * w.channels + at.channel];
  }
};

/// from [rows, columns] -> to [columns, rows]
inline void transpose(cudaStream_t stream, const float* from, float* to, std::int64_t rows,
                      std::int64_t columns) {
  for_each_element(stream, rows * columns, Transposed{from, to, rows, columns});
}
inline std::int64_t padded_size(const WindowGrid& w) {
  return static_cast<std::int64_t>(w.h.padded) * w.w.padded * w.channels;
}
/// x [pictures, H, W, C] -> padded [pictures, padded height, padded width, C]
inline void pad_pictures(cudaStream_t stream, const WindowGrid& grid, std::int64_t pictures, const float* x,
                         float* padded) {
  for_each_element(stream, pictures * padded_size(grid), PadPicture{grid, x, padded});
}
inline void crop_pictures(cudaStream_t stream, const WindowGrid& grid, std::int64_t pictures,
                          const float* padded, float* dx) {
  for_each_element(stream, pictures * grid.input_size(), CropPicture{grid, padded, dx});
}

}  // namespace timbre::cuda
