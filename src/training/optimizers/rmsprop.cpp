// RMSprop in Keras's form (Tieleman and Hinton 2012), without centring:
//
//   v = rho v + (1 - rho) g^2;  step = lr g / sqrt(v + eps)      eps inside the root
//   momentum = 0:  p -= step          otherwise:  b = momentum b + step;  p -= b
//
// Source: keras/src/optimizers/rmsprop.py.
#include "core/simd.hpp"
#include "training/optimizer.hpp"

namespace timbre::training {

struct RmspropOptions {
  double learning_rate = 1e-3, rho = 0.9, momentum = 0, epsilon = 1e-7;
};

const config::Schema<RmspropOptions>& schema(config::of<RmspropOptions>) {
  static const auto s =
      config::Schema<RmspropOptions>("RMSprop, Keras's form")
          .field("learning_rate", &RmspropOptions::learning_rate, "step size", config::above(0.0))
          .field("rho", &RmspropOptions::rho, "decay of the mean square", config::rate())
          .field("momentum", &RmspropOptions::momentum, "share of the last step kept", config::rate())
          .field("epsilon", &RmspropOptions::epsilon, "added to the mean square", config::above(0.0));
  return s;
}

namespace {

TIMBRE_SIMD void rmsprop_update(std::int64_t n, float* __restrict p, const float* __restrict g,
                                float* __restrict v, RmspropRule rule, float l1, float twice_l2) {
  for (std::int64_t i = 0; i < n; ++i) rule(p[i], penalised(g[i], p[i], l1, twice_l2), v[i]);
}

TIMBRE_SIMD void rmsprop_momentum_update(std::int64_t n, float* __restrict p, const float* __restrict g,
                                         float* __restrict v, float* __restrict b, RmspropMomentumRule rule,
                                         float l1, float twice_l2) {
  for (std::int64_t i = 0; i < n; ++i) rule(p[i], penalised(g[i], p[i], l1, twice_l2), v[i], b[i]);
}

class Rmsprop final : public Optimizer {
 public:
  explicit Rmsprop(RmspropOptions options) : options_(options) {}
  config::Node dump() const override {
    auto node = config::Node::map();
    node.set("rmsprop", schema(config::of<RmspropOptions>{}).dump(options_));
    return node;
  }
  double learning_rate() const override { return options_.learning_rate; }
  int slots() const override { return options_.momentum > 0 ? 2 : 1; }
  void update(const Update& u) const override {
    const auto rate = float(u.learning_rate), keep = float(1.0 - options_.rho),
               epsilon = float(options_.epsilon);
    const auto l1 = float(u.penalty.l1), twice_l2 = float(2 * u.penalty.l2);
    if (options_.momentum > 0)
      rmsprop_momentum_update(u.count, u.parameters, u.gradients, u.slots[0], u.slots[1],
                              {rate, keep, epsilon, float(options_.momentum)}, l1, twice_l2);
    else
      rmsprop_update(u.count, u.parameters, u.gradients, u.slots[0], {rate, keep, epsilon}, l1, twice_l2);
  }

 private:
  RmspropOptions options_;
};

const Registration<OptimizerType> rmsprop{
    "rmsprop",
    {"RMSprop (Tieleman and Hinton 2012)", schema(config::of<RmspropOptions>{}).document(),
     [](const config::Reader& reader) -> std::unique_ptr<Optimizer> {
       return std::make_unique<Rmsprop>(schema(config::of<RmspropOptions>{}).parse(reader));
     }}};

}  // namespace

}  // namespace timbre::training
