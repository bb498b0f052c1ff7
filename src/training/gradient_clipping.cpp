#include "training/gradient_clipping.hpp"

#include "config/schema.hpp"
#include "core/simd.hpp"
#include "training/optimizer_rules.hpp"

namespace timbre::training {

const config::Schema<GradientClippingOptions>& schema(config::of<GradientClippingOptions>) {
  static const auto s =
      config::Schema<GradientClippingOptions>(
          "bounds the gradients, penalties included, before they move the weights. The history then has "
          "their "
          "norm")
          .field("value", &GradientClippingOptions::value,
                 "largest magnitude of each element, Keras's clipvalue", config::above_up_to(0.0, 1e30))
          .field("norm", &GradientClippingOptions::norm,
                 "largest norm of the gradient of each parameter, Keras's clipnorm",
                 config::above_up_to(0.0, 1e30))
          .field(
              "global_norm", &GradientClippingOptions::global_norm,
              "largest norm of all gradients together, Keras's global_clipnorm. With none of the three the "
              "norm is recorded, and nothing is clipped",
              config::above_up_to(0.0, 1e30))
          .check([](const GradientClippingOptions& o) {
            return o.value.has_value() + o.norm.has_value() + o.global_norm.has_value() > 1
                       ? "takes one of value, norm and global_norm"
                       : "";
          });
  return s;
}

double penalise(float* g, const float* p, std::int64_t count, float l1, float twice_l2, float bound) {
  return vectorised([&] {
    constexpr std::int64_t lanes = 8;
    double square[lanes] = {};
    const auto one = [&](std::int64_t i, std::int64_t lane) {
      const float v = penalised(g[i], p[i], l1, twice_l2);
      square[lane] += double(v) * double(v);
      g[i] = clipped(v, bound);
    };
    std::int64_t i = 0;
    for (; i + lanes <= count; i += lanes)
      for (std::int64_t lane = 0; lane < lanes; ++lane) one(i + lane, lane);
    for (; i < count; ++i) one(i, i % lanes);
    double total = 0;
    for (const double s : square) total += s;
    return total;
  });
}

void scale(float* g, std::int64_t count, float factor) {
  vectorised([&] {
    for (std::int64_t i = 0; i < count; ++i) g[i] *= factor;
  });
}

}  // namespace timbre::training
