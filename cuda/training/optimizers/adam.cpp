// adam (src/training/optimizers/adam.cpp).
#include "training/device_parts.hpp"

namespace timbre::cuda {
namespace {

class AdamDevice final : public DeviceOptimizer {
 public:
  explicit AdamDevice(const Options& o)
      : beta_1_(o.number("beta_1")),
        beta_2_(o.number("beta_2")),
        rule_{0, float(1.0 - beta_1_), float(1.0 - beta_2_), float(o.number("epsilon"))} {}
  StepRate rate() const override { return {true, beta_1_, beta_2_}; }
  void update(cudaStream_t stream, const ArenaUpdate& u) const override { update_arena(stream, u, rule_); }

 private:
  double beta_1_, beta_2_;
  training::AdamRule rule_;
};

const Registration<DeviceOptimizerType> registration{
    "adam",
    {[](const Options& o) -> std::unique_ptr<DeviceOptimizer> { return std::make_unique<AdamDevice>(o); }}};

}  // namespace
}  // namespace timbre::cuda
