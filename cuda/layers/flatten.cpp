// flatten: the same values in one vector (src/nn/layers/flatten.cpp).
#include "layers/device_layer.hpp"

namespace timbre::cuda {
namespace {

class FlattenDevice final : public DeviceLayer {
 public:
  FlattenDevice(const nn::Layer&, const DeviceBinding& binding)
      : binding_(binding), size_(std::size_t(binding.capacity * binding.input.size())) {}
  void forward(bool, const float* x, float* y) override {
    copy_on_device(x, y, size_, binding_.tools->stream);
  }
  void backward(const float*, const float*, float* dy, float* dx) override {
    if (binding_.input_gradient) copy_on_device(dy, dx, size_, binding_.tools->stream);
  }

 private:
  DeviceBinding binding_;
  std::size_t size_;
};

const Registration<DeviceLayerType> registration{"flatten", {make_layer<FlattenDevice>}};

}  // namespace
}  // namespace timbre::cuda
