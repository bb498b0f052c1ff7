// Max pooling, channels last (nn/layers/max_pooling2d.cpp has the rules: padding is minus infinity, the first
// of equal values is the maximum, a NaN is larger than everything).
//
// Forward: a thread per output; the maximum's place in the window is kept. Backward: a thread per input
// gathers from the windows that hold it, in a fixed order.
#pragma once

#include "layers/window.cuh"
#include "support/elementwise.cuh"

namespace timbre::cuda {

struct PoolForward {
  WindowGrid w;
  const float* x;
  float* y;
  std::uint16_t* place;
  template <class Index>
  __device__ void operator()(Index i) const {
    const auto at = w.place_in(i, w.h.out, w.w.out);
    const float* picture = x + at.picture * w.input_size() + at.channel;
    const std::int32_t top = at.h * w.h.stride - w.h.before, left = at.w * w.w.stride - w.w.before;
    float best = 0;
    std::int32_t where = -1;
    for (std::int32_t a = 0; a < w.h.kernel; ++a)
      for (std::int32_t b = 0; b < w.w.kernel; ++b) {
        const std::int32_t ih = top + a, iw = left + b;
        if (ih < 0 || ih >= w.h.in || iw < 0 || iw >= w.w.in) continue;
        const float v = picture[(static_cast<std::int64_t>(ih) * w.w.in + iw) * w.channels];
        if (where < 0 || (!(v <= best) && best == best)) best = v, where = a * w.w.kernel + b;
      }
    y[i] = best;
    place[i] = static_cast<std::uint16_t>(where);
  }
};

struct PoolBackward {
  WindowGrid w;
  const float* dy;
  const std::uint16_t* place;
  float* dx;
  template <class Index>
  __device__ void operator()(Index i) const {
    const auto here = w.place_in(i, w.h.in, w.w.in);
    const std::int64_t picture = here.picture * w.output_size() + here.channel;
    const WindowRange rows = windows_over(w.h, here.h), columns = windows_over(w.w, here.w);
    float sum = 0;
    for (std::int32_t oh = rows.first; oh < rows.end; ++oh)
      for (std::int32_t ow = columns.first; ow < columns.end; ++ow) {
        const std::int32_t in_window =
            (here.h + w.h.before - oh * w.h.stride) * w.w.kernel + here.w + w.w.before - ow * w.w.stride;
        const std::int64_t at = picture + (static_cast<std::int64_t>(oh) * w.w.out + ow) * w.channels;
        if (place[at] == in_window) sum += dy[at];
      }
    dx[i] = sum;
  }
};

}  // namespace timbre::cuda
