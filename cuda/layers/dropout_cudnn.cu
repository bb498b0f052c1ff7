// dropout by cuDNN (support/dnn_dropout.hpp): masks from a generator of its own, kept between forward and backward.
#include "cuda/layers/dropout.hpp"
#include "cuda/support/dnn_dropout.hpp"

namespace timbre::cuda {

// ---- The host's half

namespace {

class DropoutByCudnn final : public CudaLayer {
 public:
  DropoutByCudnn(const nn::DropoutOptions& options, const CudaBinding& binding)
      : binding_(binding),
        size_(binding.capacity * binding.input.size()),
        active_(binding.trained && options.rate > 0) {
    if (!active_) return;
    shape_ = std::make_unique<FlatDescriptor>(size_);
    generator_ = std::make_unique<DnnGenerator>(binding.tools->dnn(), binding.tools->stream, options.rate,
                                                generator_seed(binding.seed, binding.index));
    mask_ = DeviceArray<char>(dropout_reserve_bytes(*shape_));
  }

  void forward(bool training, const float* x, float* y) override {
    if (!training || !active_) return copy_on_device(x, y, std::size_t(size_), binding_.tools->stream);
    TIMBRE_DNN_CHECK(cudnnDropoutForward(binding_.tools->dnn(), generator_->descriptor(), *shape_, x, *shape_,
                                         y, mask_.data(), mask_.size()));
  }
  void backward(const float*, const float*, float* dy, float* dx) override {
    if (!binding_.input_gradient) return;
    if (!active_) return copy_on_device(dy, dx, std::size_t(size_), binding_.tools->stream);
    TIMBRE_DNN_CHECK(cudnnDropoutBackward(binding_.tools->dnn(), generator_->descriptor(), *shape_, dy,
                                          *shape_, dx, mask_.data(), mask_.size()));
  }

  const DeviceArray<std::int32_t>* generator() const override {
    return generator_ ? &generator_->states() : nullptr;
  }
  std::string note() const override {
    return active_ ? "dropout (layer " + std::to_string(binding_.index) + "): cuDNN's masks" : "";
  }

 private:
  CudaBinding binding_;
  std::int64_t size_;
  bool active_;
  std::unique_ptr<FlatDescriptor> shape_;
  std::unique_ptr<DnnGenerator> generator_;
  DeviceArray<char> mask_;
};

}  // namespace

std::unique_ptr<CudaLayer> make_dropout_on_cudnn(const nn::DropoutOptions& options,
                                                 const CudaBinding& binding) {
  return std::make_unique<DropoutByCudnn>(options, binding);
}

}  // namespace timbre::cuda
