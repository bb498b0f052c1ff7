#include "layers/device_layer.hpp"

#include "core/error.hpp"

namespace timbre::cuda {

DeviceTools::DeviceTools(cudaStream_t s) : stream(s), blas(s) { TIMBRE_DNN_CHECK(cudnnSetStream(dnn, s)); }

std::unique_ptr<DeviceLayer> make_device_layer(const nn::Layer& layer, const DeviceBinding& binding) {
  const auto* type = DeviceLayerRegistry::instance().find(layer.type());
  if (!type) fail("the layer '{}' cannot be computed on the GPU", layer.type());
  return type->make(layer, binding);
}

}  // namespace timbre::cuda
