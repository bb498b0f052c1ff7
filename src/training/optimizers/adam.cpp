// Adam in Keras's form (Kingma and Ba 2015, section 2, last paragraph):
//
//   m = b1 m + (1 - b1) g;  v = b2 v + (1 - b2) g^2;  a_t = lr sqrt(1 - b2^t) / (1 - b1^t)
//   p -= a_t m / (sqrt(v) + eps)          with v uncorrected
//
// Source: keras/src/optimizers/adam.py.
#include "core/simd.hpp"
#include "training/optimizer.hpp"

namespace timbre::training {

struct AdamOptions {
  double learning_rate = 1e-3, beta_1 = 0.9, beta_2 = 0.999, epsilon = 1e-7;
};

const config::Schema<AdamOptions>& schema(config::of<AdamOptions>) {
  static const auto s =
      config::Schema<AdamOptions>("Adam, Keras's form")
          .field("learning_rate", &AdamOptions::learning_rate, "step size", config::above(0.0))
          .field("beta_1", &AdamOptions::beta_1, "decay of the first moment", config::rate())
          .field("beta_2", &AdamOptions::beta_2, "decay of the second moment", config::rate())
          .field("epsilon", &AdamOptions::epsilon, "added to the root of the second moment",
                 config::above(0.0));
  return s;
}

namespace {

TIMBRE_SIMD void adam_update(std::int64_t n, float* __restrict p, const float* __restrict g,
                             float* __restrict m, float* __restrict v, AdamRule rule, float l1,
                             float twice_l2) {
  for (std::int64_t i = 0; i < n; ++i) rule(p[i], penalised(g[i], p[i], l1, twice_l2), m[i], v[i]);
}

class Adam final : public Optimizer {
 public:
  explicit Adam(AdamOptions options) : options_(options) {}
  config::Node dump() const override {
    auto node = config::Node::map();
    node.set("adam", schema(config::of<AdamOptions>{}).dump(options_));
    return node;
  }
  double learning_rate() const override { return options_.learning_rate; }
  int slots() const override { return 2; }
  void update(const Update& u) const override {
    const double alpha = adam_alpha(u.learning_rate, options_.beta_1, options_.beta_2, double(u.step));
    const AdamRule rule{float(alpha), float(1.0 - options_.beta_1), float(1.0 - options_.beta_2),
                        float(options_.epsilon)};
    adam_update(u.count, u.parameters, u.gradients, u.slots[0], u.slots[1], rule, float(u.penalty.l1),
                float(2 * u.penalty.l2));
  }

 private:
  AdamOptions options_;
};

const Registration<OptimizerType> adam{
    "adam",
    {"Adam (Kingma and Ba 2015)", schema(config::of<AdamOptions>{}).document(),
     [](const config::Reader& reader) -> std::unique_ptr<Optimizer> {
       return std::make_unique<Adam>(schema(config::of<AdamOptions>{}).parse(reader));
     }}};

}  // namespace

}  // namespace timbre::training
