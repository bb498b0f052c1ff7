// dropout: the CPU's masks (src/nn/layers/dropout.cpp), made again in backward.
#include "layers/device_layer.hpp"
#include "layers/kernels.hpp"

namespace timbre::cuda {
namespace {

class DropoutDevice final : public DeviceLayer {
 public:
  DropoutDevice(const nn::Layer& layer, const DeviceBinding& binding)
      : binding_(binding),
        rate_(Options(layer.dump()).number("rate")),
        size_(binding.capacity * binding.input.size()) {}
  void forward(bool training, const float* x, float* y) override { run(training, x, y); }
  void backward(const float*, const float*, float* dy, float* dx) override {
    if (binding_.input_gradient) run(true, dy, dx);
  }

 private:
  void run(bool training, const float* from, float* to) {
    const auto stream = binding_.tools->stream;
    if (training && rate_ > 0)
      apply_dropout(stream, binding_.seed, binding_.index, rate_, binding_.step, from, to, size_);
    else
      copy_on_device(from, to, std::size_t(size_), stream);
  }

  DeviceBinding binding_;
  double rate_;
  std::int64_t size_;
};

const Registration<DeviceLayerType> registration{"dropout", {make_layer<DropoutDevice>}};

}  // namespace
}  // namespace timbre::cuda
