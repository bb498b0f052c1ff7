#include "training/mixup.hpp"

#include <cmath>
#include <numeric>
#include <utility>

#include "config/schema.hpp"

namespace timbre::training {

const config::Schema<MixupOptions>& schema(config::of<MixupOptions>) {
  static const auto s =
      config::Schema<MixupOptions>("mixes each segment with another one of its batch, and their labels")
          .field(
              "alpha", &MixupOptions::alpha,
              "the shares come from Beta(alpha, alpha): small ones leave most segments nearly as they are, 1 "
              "makes all shares equally likely",
              config::above_up_to(0.0, 1000.0));
  return s;
}

namespace {

/// The logarithm of a draw from Gamma(a, 1): Marsaglia and Tsang 2000, with their way to a below 1. (In logarithms, so that
/// draws of a small a do not vanish.)
double log_gamma_draw(PhiloxSequence& random, double a) {
  const auto positive = [&] { return 1 - random.uniform(); };
  if (a < 1) {
    const double larger = log_gamma_draw(random, a + 1);
    return larger + std::log(positive()) / a;
  }
  const double d = a - 1.0 / 3, c = 1 / std::sqrt(9 * d);
  for (;;) {
    const double x = random.normal(), root = 1 + c * x;
    if (root <= 0) continue;
    const double v = root * root * root;
    if (std::log(positive()) < 0.5 * x * x + d - d * v + d * std::log(v)) return std::log(d * v);
  }
}

}  // namespace

Mixture draw_mixture(const MixupOptions& options, std::uint64_t seed, std::int64_t step, std::int64_t rows) {
  PhiloxSequence random(seed, stream::mixup, std::uint32_t(step));
  Mixture out{std::vector<std::int32_t>(std::size_t(rows)), {}};
  std::iota(out.partner.begin(), out.partner.end(), 0);
  for (std::size_t i = out.partner.size(); i > 1; --i)
    std::swap(out.partner[i - 1], out.partner[random.below(i)]);
  for (std::int64_t r = 0; r < rows; ++r) {
    const double a = log_gamma_draw(random, options.alpha), b = log_gamma_draw(random, options.alpha);
    out.share.push_back(float(1 / (1 + std::exp(b - a))));
  }
  return out;
}

}  // namespace timbre::training
