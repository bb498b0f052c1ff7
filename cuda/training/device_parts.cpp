#include "training/device_parts.hpp"

#include "core/error.hpp"

namespace timbre::cuda {

std::unique_ptr<DeviceLoss> make_device_loss(const config::Node& dump) {
  const Options options(dump);
  const auto* type = DeviceLossRegistry::instance().find(options.name());
  if (!type) fail("the loss '{}' cannot be computed on the GPU", options.name());
  return type->make(options);
}

std::unique_ptr<DeviceOptimizer> make_device_optimizer(const config::Node& dump) {
  const Options options(dump);
  const auto* type = DeviceOptimizerRegistry::instance().find(options.name());
  if (!type) fail("the optimizer '{}' cannot be computed on the GPU", options.name());
  return type->make(options);
}

}  // namespace timbre::cuda
