// conv2d: windows as the rows of a matrix, times the kernel as it lies in Keras's layout, by cuBLAS
// (src/nn/layers/conv2d.cpp has the formula).
//
// Why not cuDNN's convolutions: theirs is a choice among algorithms that differ in order and precision from
// one GPU to the next and want weights in an order of their own; 'same' with an odd padding needs a copy of
// the input before. A matrix product needs none of that, adds up in one order, and runs on the stand-in
// device as it runs here. Pictures are taken in parts, so that the matrix stays small. Where one part
// is enough, backward finds the matrix as forward left it; otherwise it makes it again.
#include <algorithm>

#include "layers/window_grid.hpp"
#include "support/tuning.hpp"

namespace timbre::cuda {
namespace {

class Conv2DDevice final : public DeviceLayer {
 public:
  Conv2DDevice(const nn::Layer& layer, const DeviceBinding& binding) : binding_(binding) {
    const Options options(layer.dump());
    grid_ = window_grid(binding.input, options, "kernel_size");
    activation_ = nn::activation_of(options.word("activation"));
    use_bias_ = options.flag("use_bias");
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
  DeviceBinding binding_;
  WindowGrid grid_{};
  nn::Activation activation_ = nn::Activation::linear;
  bool use_bias_ = true;
  std::int64_t filters_ = 0, part_ = 1;
  DeviceArray<float> columns_, d_columns_, work_;
};

const Registration<DeviceLayerType> registration{"conv2d", {make_layer<Conv2DDevice>}};

}  // namespace
}  // namespace timbre::cuda
