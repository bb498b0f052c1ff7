// conv2d: windows as the rows of a matrix, times the kernel as it lies in Keras's layout, by cuBLAS
// (nn/layers/conv2d.hpp has the formula).
//
// Why not cuDNN's convolutions: theirs is a choice among algorithms that differ in order and precision from
// one GPU to the next and want weights in an order of their own; 'same' with an odd padding needs a copy of
// the input before. A matrix product needs none of that, adds up in one order, and runs on the stand-in
// device as it runs here. Pictures are taken in parts, so that the matrix stays small. Where one part
// is enough, backward finds the matrix as forward left it; otherwise it makes it again.
//
//   columns [pictures * H' * W', kh * kw * C]: row p holds the window at place p, zeros where it reaches over the edge
//
// The kernel (kh, kw, C, filters) in Keras's layout is then the matrix [kh * kw * C, filters] as it lies.
#include <algorithm>

#include "cuda/layers/activation.hpp"
#include "cuda/layers/cuda_layer.hpp"
#include "cuda/layers/window.cuh"
#include "cuda/support/elementwise.cuh"
#include "cuda/support/tuning.hpp"
#include "nn/layers/conv2d.hpp"

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

// ---- The host's half

class Conv2DDevice final : public CudaLayer {
 public:
  Conv2DDevice(const nn::Conv2DOptions& options, const CudaBinding& binding)
      : binding_(binding), grid_(window_grid(nn::window_of(options, binding.input))) {
    activation_ = nn::activation_of(options.activation);
    use_bias_ = options.use_bias;
    filters_ = binding.output.back();
    const auto of_picture = grid_.places() * grid_.window_size();
    const auto largest_matrix = tuning("TIMBRE_CUDA_WINDOW_FLOATS", std::int64_t{1} << 24);  // 64 MiB
    part_ = std::clamp<std::int64_t>(largest_matrix / of_picture, 1, binding.capacity);
    columns_ = DeviceArray<float>(std::size_t(part_ * of_picture));
    if (binding.input_gradient) d_columns_ = DeviceArray<float>(columns_.size());
    if (use_bias_)
      work_ = DeviceArray<float>(std::size_t(column_sums_work(binding.capacity * grid_.places(), filters_)));
  }

  void forward(bool, const float* x, float* y) override {
    auto& t = *binding_.tools;
    const auto places = grid_.places(), k = grid_.window_size();
    for (std::int64_t first = 0; first < binding_.capacity; first += part_) {
      const auto n = std::min(part_, binding_.capacity - first);
      windows_to_columns(t.stream, grid_, n, x + first * grid_.input_size(), columns_.data());
      t.blas.gemm(Op::none, Op::none, n * places, filters_, k, columns_.data(), k, binding_.parameters[0],
                  filters_, 0, y + first * places * filters_, filters_);
    }
    bias_activation(t.stream, activation_, use_bias_ ? binding_.parameters[1] : nullptr, y,
                    binding_.capacity * places, filters_);
  }

  void backward(const float* x, const float* y, float* dy, float* dx) override {
    auto& t = *binding_.tools;
    const auto places = grid_.places(), k = grid_.window_size(), rows = binding_.capacity * places;
    activation_backward(t.stream, activation_, y, dy, rows, filters_, work_.data(),
                        use_bias_ ? binding_.gradients[1] : nullptr);
    for (std::int64_t first = 0; first < binding_.capacity; first += part_) {
      const auto n = std::min(part_, binding_.capacity - first);
      const float* dz = dy + first * places * filters_;
      if (part_ < binding_.capacity)
        windows_to_columns(t.stream, grid_, n, x + first * grid_.input_size(), columns_.data());
      t.blas.gemm(Op::transpose, Op::none, k, filters_, n * places, columns_.data(), k, dz, filters_,
                  first > 0 ? 1.0f : 0.0f, binding_.gradients[0], filters_);
      if (!binding_.input_gradient) continue;
      t.blas.gemm(Op::none, Op::transpose, n * places, k, filters_, dz, filters_, binding_.parameters[0],
                  filters_, 0, d_columns_.data(), k);
      columns_to_windows(t.stream, grid_, n, d_columns_.data(), dx + first * grid_.input_size());
    }
  }

 private:
  CudaBinding binding_;
  WindowGrid grid_;
  nn::Activation activation_ = nn::Activation::linear;
  bool use_bias_ = true;
  std::int64_t filters_ = 0, part_ = 1;
  DeviceArray<float> columns_, d_columns_, work_;
};

inline const CudaLayers::Add<Conv2DDevice, nn::Conv2DOptions> conv2d;

}  // namespace timbre::cuda
