// flatten: the same values seen as one vector (nn/layers/flatten.hpp), so there is nothing to do.
#include "layers/device_layer.hpp"
#include "nn/layers/flatten.hpp"

namespace timbre::cuda {

// ---- The host's half

class FlattenDevice final : public DeviceLayer {
 public:
  FlattenDevice(const nn::FlattenOptions&, const DeviceBinding&) {}
  bool passes_through() const override { return true; }
  void forward(bool, const float*, float*) override {}
  void backward(const float*, const float*, float*, float*) override {}
};

inline const DeviceLayers::Add<FlattenDevice, nn::FlattenOptions> flatten;

}  // namespace timbre::cuda
