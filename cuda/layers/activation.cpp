// activation: y = f(x) (src/nn/layers/activation.cpp).
#include "layers/device_layer.hpp"
#include "layers/kernels.hpp"

namespace timbre::cuda {
namespace {

class ActivationDevice final : public DeviceLayer {
 public:
  ActivationDevice(const nn::Layer& layer, const DeviceBinding& binding)
      : binding_(binding),
        activation_(nn::activation_of(Options(layer.dump()).word("activation"))),
        columns_(binding.input.back()),
        rows_(binding.capacity * binding.input.size() / columns_) {
    if (binding.logits && activation_ == nn::Activation::softmax) activation_ = nn::Activation::linear;
  }
  void forward(bool, const float* x, float* y) override {
    copy_on_device(x, y, std::size_t(rows_ * columns_), binding_.tools->stream);
    bias_activation(binding_.tools->stream, activation_, nullptr, y, rows_, columns_);
  }
  void backward(const float*, const float* y, float* dy, float* dx) override {
    if (binding_.input_gradient)
      activation_slope(binding_.tools->stream, activation_, y, dy, dx, rows_, columns_);
  }

 private:
  DeviceBinding binding_;
  nn::Activation activation_;
  std::int64_t columns_, rows_;
};

const Registration<DeviceLayerType> registration{"activation", {make_layer<ActivationDevice>}};

}  // namespace
}  // namespace timbre::cuda
