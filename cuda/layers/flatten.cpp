// flatten: the same values seen as one vector (src/nn/layers/flatten.cpp), so there is nothing to do.
#include "layers/device_layer.hpp"

namespace timbre::cuda {
namespace {

class FlattenDevice final : public DeviceLayer {
 public:
  FlattenDevice(const nn::Layer&, const DeviceBinding&) {}
  bool passes_through() const override { return true; }
  void forward(bool, const float*, float*) override {}
  void backward(const float*, const float*, float*, float*) override {}
};

const Registration<DeviceLayerType> registration{"flatten", {make_layer<FlattenDevice>}};

}  // namespace
}  // namespace timbre::cuda
