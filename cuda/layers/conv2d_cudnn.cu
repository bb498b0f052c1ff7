// conv2d on cuDNN's convolutions (support/dnn_convolution.hpp): forward, and the gradients of input and kernel.
//
// Weights are brought into cuDNN's layout before every forward, since the arena holds them in Keras's, and their gradient
// comes back from it. Where 'same' pads the two ends of a side differently, which cuDNN has no word for, pictures are
// padded by a kernel before. Bias and activation are one kernel after.
#include "cuda/layers/conv2d.hpp"
#include "cuda/layers/conv2d_layout.cuh"
#include "cuda/support/dnn_convolution.hpp"

namespace timbre::cuda {

// ---- The host's half

namespace {

class Conv2DByCudnn final : public CudaLayer {
 public:
  Conv2DByCudnn(const nn::Conv2DOptions& options, const CudaBinding& binding)
      : binding_(binding),
        window_(nn::window_of(options, binding.input)),
        grid_(window_grid(window_)),
        end_(options, binding),
        filters_(binding.output.back()),
        shape_(convolution_shape(window_, binding.capacity, filters_)),
        convolution_(binding.tools->dnn(), binding.tools->stream, shape_) {}

  /// "", or what cuDNN refuses.
  std::string plan() {
    const bool trained = binding_.trained;
    if (auto refused = convolution_.plan(trained && binding_.input_gradient, trained); !refused.empty())
      return refused;
    weights_ = DeviceArray<float>(std::size_t(grid_.window_size() * filters_));
    if (shape_.padded_before)
      padded_ = DeviceArray<float>(std::size_t(binding_.capacity * padded_size(grid_)));
    if (trained) d_weights_ = DeviceArray<float>(weights_.size());
    if (trained && binding_.input_gradient) d_padded_ = DeviceArray<float>(padded_.size());
    note_ = conv2d_name(binding_) + ": cuDNN, algorithms " + convolution_.algorithms();
    return "";
  }

  void forward(bool, const float* x, float* y) override {
    transpose(stream(), binding_.parameters[0], weights_.data(), grid_.window_size(), filters_);
    if (shape_.padded_before) pad_pictures(stream(), grid_, binding_.capacity, x, padded_.data());
    convolution_.forward(shape_.padded_before ? padded_.data() : x, weights_.data(), y);
    end_.forward(y);
  }

  void backward(const float* x, const float* y, float* dy, float* dx) override {
    end_.backward(y, dy);
    convolution_.kernel_gradient(shape_.padded_before ? padded_.data() : x, dy, d_weights_.data());
    transpose(stream(), d_weights_.data(), binding_.gradients[0], filters_, grid_.window_size());
    if (!binding_.input_gradient) return;
    convolution_.input_gradient(weights_.data(), dy, shape_.padded_before ? d_padded_.data() : dx);
    if (shape_.padded_before) crop_pictures(stream(), grid_, binding_.capacity, d_padded_.data(), dx);
  }

  std::string note() const override { return note_; }

 private:
  cudaStream_t stream() const { return binding_.tools->stream; }

  CudaBinding binding_;
  nn::Window2D window_;
  WindowGrid grid_;
  Conv2DEnd end_;
  std::int64_t filters_;
  ConvolutionShape shape_;
  DnnConvolution convolution_;
  DeviceArray<float> weights_, d_weights_;  // [filters, kh, kw, C]
  DeviceArray<float> padded_, d_padded_;    // [capacity, padded H, padded W, C], where the ends differ
  std::string note_;
};

}  // namespace

Conv2DOnCudnn make_conv2d_on_cudnn(const nn::Conv2DOptions& options, const CudaBinding& binding) {
  try {
    auto layer = std::make_unique<Conv2DByCudnn>(options, binding);
    if (auto refused = layer->plan(); !refused.empty()) return {nullptr, std::move(refused)};
    return {std::move(layer), ""};
  } catch (const Error& e) {  // a size that it does not count, a shape that it sees otherwise
    return {nullptr, e.what()};
  }
}

}  // namespace timbre::cuda
