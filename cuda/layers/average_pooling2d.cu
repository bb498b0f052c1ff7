// average_pooling2d, channels last (nn/layers/average_pooling2d.hpp has the rules), by own kernels.
//
// Forward: a thread per output. Backward: a thread per input gathers from the windows that hold it, in a fixed order.
#include "cuda/layers/cuda_layer.hpp"
#include "cuda/layers/window.cuh"
#include "cuda/support/elementwise.cuh"
#include "nn/layers/average_pooling2d.hpp"

namespace timbre::cuda {

/// The part of window `p` of a side that lies inside: its first place, and how many.
struct WindowInside {
  std::int32_t first, count;
};
__device__ inline WindowInside window_inside(const WindowSide& s, std::int32_t p) {
  const std::int32_t begin = p * s.stride - s.before, end = begin + s.kernel;
  const std::int32_t first = begin < 0 ? 0 : begin, last = end < s.in ? end : s.in;
  return {first, last - first};
}

struct AverageForward {
  WindowGrid w;
  const float* x;
  float* y;
  template <class Index>
  __device__ void operator()(Index i) const {
    const auto at = w.place_in(i, w.h.by_out, w.w.by_out);
    const float* picture = x + at.picture * w.input_size() + at.channel;
    const WindowInside rows = window_inside(w.h, at.h), columns = window_inside(w.w, at.w);
    float sum = 0;
    for (std::int32_t a = 0; a < rows.count; ++a)
      for (std::int32_t b = 0; b < columns.count; ++b)
        sum += picture[(static_cast<std::int64_t>(rows.first + a) * w.w.in + columns.first + b) * w.channels];
    y[i] = sum * (1.0f / static_cast<float>(rows.count * columns.count));
  }
};

struct AverageBackward {
  WindowGrid w;
  const float* dy;
  float* dx;
  template <class Index>
  __device__ void operator()(Index i) const {
    const auto here = w.place_in(i, w.h.by_in, w.w.by_in);
    const float* picture = dy + here.picture * w.output_size() + here.channel;
    const WindowRange rows = windows_over(w.h, here.h), columns = windows_over(w.w, here.w);
    float sum = 0;
    for (std::int32_t p = rows.first; p < rows.end; ++p)
      for (std::int32_t q = columns.first; q < columns.end; ++q) {
        const std::int32_t n = window_inside(w.h, p).count * window_inside(w.w, q).count;
        sum += picture[(static_cast<std::int64_t>(p) * w.w.out + q) * w.channels] *
               (1.0f / static_cast<float>(n));
      }
    dx[i] = sum;
  }
};

inline void average_forward(cudaStream_t stream, const WindowGrid& grid, std::int64_t pictures,
                            const float* x, float* y) {
  for_each_element(stream, pictures * grid.output_size(), AverageForward{grid, x, y});
}
inline void average_backward(cudaStream_t stream, const WindowGrid& grid, std::int64_t pictures,
                             const float* dy, float* dx) {
  for_each_element(stream, pictures * grid.input_size(), AverageBackward{grid, dy, dx});
}

// ---- The host's half

class AveragePooling2DDevice final : public CudaLayer {
 public:
  AveragePooling2DDevice(const nn::AveragePooling2DOptions& options, const CudaBinding& binding)
      : binding_(binding), grid_(window_grid(nn::window_of(options, binding.input))) {}
  void forward(bool, const float* x, float* y) override {
    average_forward(binding_.tools->stream, grid_, binding_.capacity, x, y);
  }
  void backward(const float*, const float*, float* dy, float* dx) override {
    if (binding_.input_gradient) average_backward(binding_.tools->stream, grid_, binding_.capacity, dy, dx);
  }

 private:
  CudaBinding binding_;
  WindowGrid grid_;
};

inline const CudaLayers::Add<AveragePooling2DDevice, nn::AveragePooling2DOptions> average_pooling2d;

}  // namespace timbre::cuda
