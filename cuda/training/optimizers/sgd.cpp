// sgd (src/training/optimizers/sgd.cpp).
#include "training/device_parts.hpp"

namespace timbre::cuda {
namespace {

class SgdDevice final : public DeviceOptimizer {
 public:
  explicit SgdDevice(const Options& o) : momentum_(o.number("momentum")), nesterov_(o.flag("nesterov")) {}
  void update(cudaStream_t stream, const ArenaUpdate& u) const override {
    if (momentum_ > 0)
      update_arena(stream, u, training::MomentumRule{0, float(momentum_), nesterov_});
    else
      update_arena(stream, u, training::SgdRule{});
  }

 private:
  double momentum_;
  bool nesterov_;
};

const Registration<DeviceOptimizerType> registration{
    "sgd",
    {[](const Options& o) -> std::unique_ptr<DeviceOptimizer> { return std::make_unique<SgdDevice>(o); }}};

}  // namespace
}  // namespace timbre::cuda
