#include "layers/device_layer.hpp"

#include "core/error.hpp"

namespace timbre::cuda {

DeviceTools::DeviceTools(cudaStream_t s) : stream(s), blas(s) { TIMBRE_DNN_CHECK(cudnnSetStream(dnn, s)); }

std::unique_ptr<DeviceLayer> make_device_layer(const OptionsRef& options, const DeviceBinding& binding) {
  auto layer = DeviceLayers::make(options, binding);
  if (!layer) fail("the layer '{}' cannot be computed on the GPU", options.part());
  return layer;
}

}  // namespace timbre::cuda
