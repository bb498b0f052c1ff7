// rmsprop (src/training/optimizers/rmsprop.cpp).
#include "training/device_parts.hpp"

namespace timbre::cuda {
namespace {

class RmspropDevice final : public DeviceOptimizer {
 public:
  explicit RmspropDevice(const Options& o)
      : momentum_(o.number("momentum")),
        keep_(float(1.0 - o.number("rho"))),
        epsilon_(float(o.number("epsilon"))) {}
  void update(cudaStream_t stream, const ArenaUpdate& u) const override {
    if (momentum_ > 0)
      update_arena(stream, u, training::RmspropMomentumRule{0, keep_, epsilon_, float(momentum_)});
    else
      update_arena(stream, u, training::RmspropRule{0, keep_, epsilon_});
  }

 private:
  double momentum_;
  float keep_, epsilon_;
};

const Registration<DeviceOptimizerType> registration{
    "rmsprop", {[](const Options& o) -> std::unique_ptr<DeviceOptimizer> {
      return std::make_unique<RmspropDevice>(o);
    }}};

}  // namespace
}  // namespace timbre::cuda
