#include "features/spectral_flatness.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numbers>

#include "config/schema.hpp"
#include "features/engine.hpp"
#include "features/frequencies.hpp"
#include "features/own_options.hpp"

namespace timbre::features {

const config::Schema<SpectralFlatnessOptions>& schema(config::of<SpectralFlatnessOptions>) {
  using O = SpectralFlatnessOptions;
  static const auto s =
      config::Schema<O>("how much a frame is like noise rather than like tones")
          .field("amin", &O::amin, "smaller powers count as this one", config::between(1e-30, 1e30))
          .field("power", &O::power, "exponent of the magnitude", config::between(0.01, 8.0));
  return s;
}

namespace {

/// The sum of ln max(row[k], amin), of positive normal numbers. Each is 2^e m with 1 <= m < 2: exponents are added, and
/// mantissas multiplied (512 of them stay below 2^512), so that there is one logarithm for many values.
double sum_of_logarithms(const double* row, std::int64_t n, double amin) {
  constexpr std::int64_t lanes = 8, run = 512;
  double sum = 0;
  std::int64_t exponents = 0;
  for (std::int64_t begin = 0; begin < n; begin += lanes * run) {
    const auto count = std::min(lanes * run, n - begin);
    double product[lanes];
    std::int64_t exponent[lanes] = {};
    for (double& p : product) p = 1.0;
    vectorised([&] {
      const auto take = [&](std::int64_t lane, double x) {
        x = x > amin ? x : amin;
        std::int64_t bits;
        std::memcpy(&bits, &x, sizeof bits);
        exponent[lane] += (bits >> 52) - 1023;
        bits = (bits & 0x000fffffffffffff) | 0x3ff0000000000000;
        std::memcpy(&x, &bits, sizeof bits);
        product[lane] *= x;
      };
      std::int64_t i = 0;
      for (; i + lanes <= count; i += lanes)
        for (std::int64_t j = 0; j < lanes; ++j) take(j, row[begin + i + j]);
      for (std::int64_t j = 0; i < count; ++i, ++j) take(j, row[begin + i]);
    });
    for (std::int64_t j = 0; j < lanes; ++j) sum += std::log(product[j]), exponents += exponent[j];
  }
  return sum + double(exponents) * std::numbers::ln2;
}

double flatness(const double* row, std::int64_t bins, double amin) {
  const double total =
      vectorised([&] { return sum_of(bins, [&](std::int64_t k) { return row[k] > amin ? row[k] : amin; }); });
  return std::exp(sum_of_logarithms(row, bins, amin) / double(bins)) / (total / double(bins));
}

const OwnRegistration<SpectralFlatnessOptions> options;
const Registration<FeatureType> registration{
    "spectral_flatness",
    {.summary = "how much a frame is like noise (1) rather than like tones (0)",
     .keys = transform_keys(),
     .source = FeatureType::Source::exact_spectrum,
     .width = [](const FeatureOptions&) -> std::int64_t { return 1; },
     .make_cpu = [](const FeatureOptions& o, std::int64_t) -> std::unique_ptr<CpuFeature> {
       const auto& own = o.own_as<SpectralFlatnessOptions>();
       return row_feature(own.power, [bins = std::int64_t{o.bins()}, amin = own.amin](const double* row) {
         return flatness(row, bins, amin);
       });
     }}};

}  // namespace
}  // namespace timbre::features
