// max_pooling2d (src/nn/layers/max_pooling2d.cpp), by own kernels: exact for 'same' with an odd padding.
#include "layers/window_grid.hpp"

namespace timbre::cuda {
namespace {

class MaxPooling2DDevice final : public DeviceLayer {
 public:
  MaxPooling2DDevice(const nn::Layer& layer, const DeviceBinding& binding)
      : binding_(binding),
        grid_(window_grid(binding.input, Options(layer.dump()), "pool_size")),
        place_(std::size_t(binding.capacity * grid_.output_size())) {}
  void forward(bool, const float* x, float* y) override {
    pool_forward(binding_.tools->stream, grid_, binding_.capacity, x, y, place_.data());
  }
  void backward(const float*, const float*, float* dy, float* dx) override {
    if (binding_.input_gradient)
      pool_backward(binding_.tools->stream, grid_, binding_.capacity, dy, place_.data(), dx);
  }

 private:
  DeviceBinding binding_;
  WindowGrid grid_;
  DeviceArray<std::uint16_t> place_;
};

const Registration<DeviceLayerType> registration{"max_pooling2d", {make_layer<MaxPooling2DDevice>}};

}  // namespace
}  // namespace timbre::cuda
