// conv2d by columns: windows as the rows of a matrix (window_columns.cuh), times the kernel as it lies in Keras's layout,
// by cuBLAS. It takes every convolution, adds up in one order, and pads as it reads.
//
// Pictures are taken in parts, so that the matrix stays small. Where one part is enough, backward finds the matrix as
// forward left it; otherwise it makes it again.
#include <algorithm>

#include "cuda/layers/conv2d.hpp"
#include "cuda/layers/window_columns.cuh"
#include "device/algorithms.hpp"

namespace timbre::cuda {

// ---- The host's half

namespace {

class Conv2DByColumns final : public CudaLayer {
 public:
  Conv2DByColumns(const nn::Conv2DOptions& options, const CudaBinding& binding,
                  const std::string& why_not_on_cudnn)
      : binding_(binding), grid_(window_grid(nn::window_of(options, binding.input))), end_(options, binding) {
    filters_ = binding.output.back();
    const auto of_picture = grid_.places() * grid_.window_size();
    const auto largest_matrix = device::tuned_number("TIMBRE_CUDA_WINDOW_FLOATS");
    part_ = std::clamp<std::int64_t>(largest_matrix / of_picture, 1, binding.capacity);
    columns_ = DeviceArray<float>(std::size_t(part_ * of_picture));
    if (binding.input_gradient) d_columns_ = DeviceArray<float>(columns_.size());
    if (!why_not_on_cudnn.empty())
      note_ = conv2d_name(binding) + ": by columns and cuBLAS (cuDNN: " + why_not_on_cudnn + ")";
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
    end_.forward(y);
  }

  void backward(const float* x, const float* y, float* dy, float* dx) override {
    auto& t = *binding_.tools;
    const auto places = grid_.places(), k = grid_.window_size();
    end_.backward(y, dy);
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

  std::string note() const override { return note_; }

 private:
  CudaBinding binding_;
  WindowGrid grid_;
  Conv2DEnd end_;
  std::int64_t filters_ = 0, part_ = 1;
  DeviceArray<float> columns_, d_columns_;
  std::string note_;
};

}  // namespace

std::unique_ptr<CudaLayer> make_conv2d_by_columns(const nn::Conv2DOptions& options,
                                                  const CudaBinding& binding,
                                                  const std::string& why_not_on_cudnn) {
  return std::make_unique<Conv2DByColumns>(options, binding, why_not_on_cudnn);
}

}  // namespace timbre::cuda
