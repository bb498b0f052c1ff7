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
  __device__ void operator()(std::int64_t i) const {
    const std::int64_t c = i % w.channels, ow = i / w.channels % w.w.out,
                       oh = i / w.channels / w.w.out % w.h.out;
    const float* picture = x + i / w.channels / w.w.out / w.h.out * w.input_size() + c;
    const std::int32_t top = static_cast<std::int32_t>(oh) * w.h.stride - w.h.before;
    const std::int32_t left = static_cast<std::int32_t>(ow) * w.w.stride - w.w.before;
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
  __device__ void operator()(std::int64_t i) const {
    const std::int64_t c = i % w.channels, iw = i / w.channels % w.w.in,
                       ih = i / w.channels / w.w.in % w.h.in;
    const std::int64_t picture = i / w.channels / w.w.in / w.h.in * w.output_size() + c;
    const WindowRange rows = windows_over(w.h, static_cast<std::int32_t>(ih)),
                      columns = windows_over(w.w, static_cast<std::int32_t>(iw));
    float sum = 0;
    for (std::int32_t oh = rows.first; oh < rows.end; ++oh)
      for (std::int32_t ow = columns.first; ow < columns.end; ++ow) {
        const std::int32_t here =
            (static_cast<std::int32_t>(ih) + w.h.before - oh * w.h.stride) * w.w.kernel +
            static_cast<std::int32_t>(iw) + w.w.before - ow * w.w.stride;
        const std::int64_t at = picture + (static_cast<std::int64_t>(oh) * w.w.out + ow) * w.channels;
        if (place[at] == here) sum += dy[at];
      }
    dx[i] = sum;
  }
};

}  // namespace timbre::cuda
