// max_pooling2d, channels last (nn/layers/max_pooling2d.hpp has the rules), by own kernels: exact for 'same' with an odd
// padding.
//
// Forward: a thread per output; the maximum's place in the window is kept. Backward: a thread per input gathers from the
// windows that hold it, in a fixed order.
#include "cuda/layers/cuda_layer.hpp"
#include "cuda/layers/window.cuh"
#include "cuda/support/elementwise.cuh"
#include "nn/layers/max_pooling2d.hpp"

namespace timbre::cuda {

struct PoolForward {
  WindowGrid w;
  const float* x;
  float* y;
  std::uint16_t* place;
  template <class Index>
  __device__ void operator()(Index i) const {
    const auto at = w.place_in(i, w.h.by_out, w.w.by_out);
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
    const auto here = w.place_in(i, w.h.by_in, w.w.by_in);
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

/// place [pictures, H', W', C]: which value of its window was the largest.
inline void pool_forward(cudaStream_t stream, const WindowGrid& grid, std::int64_t pictures, const float* x,
                         float* y, std::uint16_t* place) {
  for_each_element(stream, pictures * grid.output_size(), PoolForward{grid, x, y, place});
}
inline void pool_backward(cudaStream_t stream, const WindowGrid& grid, std::int64_t pictures, const float* dy,
                          const std::uint16_t* place, float* dx) {
  for_each_element(stream, pictures * grid.input_size(), PoolBackward{grid, dy, place, dx});
}

// ---- The host's half

class MaxPooling2DDevice final : public CudaLayer {
 public:
  MaxPooling2DDevice(const nn::MaxPooling2DOptions& options, const CudaBinding& binding)
      : binding_(binding),
        grid_(window_grid(nn::window_of(options, binding.input))),
        place_(std::size_t(binding.capacity * grid_.output_size())) {}
  void forward(bool, const float* x, float* y) override {
    pool_forward(binding_.tools->stream, grid_, binding_.capacity, x, y, place_.data());
  }
  void backward(const float*, const float*, float* dy, float* dx) override {
    if (binding_.input_gradient)
      pool_backward(binding_.tools->stream, grid_, binding_.capacity, dy, place_.data(), dx);
  }

 private:
  CudaBinding binding_;
  WindowGrid grid_;
  DeviceArray<std::uint16_t> place_;
};

inline const CudaLayers::Add<MaxPooling2DDevice, nn::MaxPooling2DOptions> max_pooling2d;

}  // namespace timbre::cuda
