// The device's halves of losses and optimizers, found by the name that they have in a configuration: each is
// a file in losses/ or optimizers/ with the name of its file in src/training.
#pragma once

#include <cuda_runtime_api.h>

#include <memory>
#include <string>

#include "core/registry.hpp"
#include "support/options.hpp"
#include "training/kernels.hpp"

namespace timbre::cuda {

/// Where a loss finds its batch and puts its results; see cross_entropy() in kernels.hpp.
struct LossBatch {
  const float* logits;
  const BatchHeader* header;
  const std::int32_t* rows;
  std::int64_t capacity, classes;
  float* losses;
  std::int32_t* hits;
  float *gradient, *probabilities;  // may be null
};

class DeviceLoss {
 public:
  virtual ~DeviceLoss() = default;
  virtual void evaluate(cudaStream_t stream, const LossBatch& batch) const = 0;
};
struct DeviceLossType {
  std::unique_ptr<DeviceLoss> (*make)(const Options&);
};
using DeviceLossRegistry = Registry<DeviceLossType>;

class DeviceOptimizer {
 public:
  virtual ~DeviceOptimizer() = default;
  /// What finish_loss sets for each step.
  virtual StepRate rate() const { return {}; }
  /// One step of the whole arena; the step has been counted, and its rate set.
  virtual void update(cudaStream_t stream, const ArenaUpdate& update) const = 0;
};
struct DeviceOptimizerType {
  std::unique_ptr<DeviceOptimizer> (*make)(const Options&);
};
using DeviceOptimizerRegistry = Registry<DeviceOptimizerType>;

/// For what training::Loss or Optimizer describes itself as, {name: {options}}. Throws Error where the back
/// end does not know it.
std::unique_ptr<DeviceLoss> make_device_loss(const config::Node& dump);
std::unique_ptr<DeviceOptimizer> make_device_optimizer(const config::Node& dump);

}  // namespace timbre::cuda
