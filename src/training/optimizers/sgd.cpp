// Stochastic gradient descent with momentum, Keras's form:
//
//   momentum = 0:  p -= lr g
//   otherwise:     v = momentum v - lr g;  p += v            (nesterov: p += momentum v - lr g)
//
// Source: keras/src/optimizers/sgd.py.
#include "core/simd.hpp"
#include "training/optimizer.hpp"

namespace timbre::training {

struct SgdOptions {
  double learning_rate = 1e-2, momentum = 0;
  bool nesterov = false;
};

const config::Schema<SgdOptions>& schema(config::of<SgdOptions>) {
  static const auto s =
      config::Schema<SgdOptions>("SGD with momentum, Keras's form")
          .field("learning_rate", &SgdOptions::learning_rate, "step size", config::above(0.0))
          .field("momentum", &SgdOptions::momentum, "share of the last step kept", config::rate())
          .field("nesterov", &SgdOptions::nesterov, "look ahead along the momentum");
  return s;
}

namespace {

TIMBRE_SIMD void sgd_update(std::int64_t n, float* __restrict p, const float* __restrict g, SgdRule rule,
                            float l1, float twice_l2) {
  for (std::int64_t i = 0; i < n; ++i) rule(p[i], penalised(g[i], p[i], l1, twice_l2));
}

TIMBRE_SIMD void momentum_update(std::int64_t n, float* __restrict p, const float* __restrict g,
                                 float* __restrict v, MomentumRule rule, float l1, float twice_l2) {
  for (std::int64_t i = 0; i < n; ++i) rule(p[i], penalised(g[i], p[i], l1, twice_l2), v[i]);
}

class Sgd final : public Optimizer {
 public:
  explicit Sgd(SgdOptions options) : options_(options) {}
  config::Node dump() const override {
    auto node = config::Node::map();
    node.set("sgd", schema(config::of<SgdOptions>{}).dump(options_));
    return node;
  }
  double learning_rate() const override { return options_.learning_rate; }
  int slots() const override { return options_.momentum > 0 ? 1 : 0; }
  void update(const Update& u) const override {
    const auto rate = float(u.learning_rate), l1 = float(u.penalty.l1), twice_l2 = float(2 * u.penalty.l2);
    if (options_.momentum > 0)
      momentum_update(u.count, u.parameters, u.gradients, u.slots[0],
                      {rate, float(options_.momentum), options_.nesterov}, l1, twice_l2);
    else
      sgd_update(u.count, u.parameters, u.gradients, {rate}, l1, twice_l2);
  }

 private:
  SgdOptions options_;
};

const Registration<OptimizerType> sgd{
    "sgd",
    {"stochastic gradient descent with momentum", schema(config::of<SgdOptions>{}).document(),
     [](const config::Reader& reader) -> std::unique_ptr<Optimizer> {
       return std::make_unique<Sgd>(schema(config::of<SgdOptions>{}).parse(reader));
     }}};

}  // namespace

}  // namespace timbre::training
