#include "features/spectral_bandwidth.hpp"

#include <cmath>

#include "config/schema.hpp"
#include "features/engine.hpp"
#include "features/frequencies.hpp"
#include "features/own_options.hpp"

namespace timbre::features {

const config::Schema<SpectralBandwidthOptions>& schema(config::of<SpectralBandwidthOptions>) {
  using O = SpectralBandwidthOptions;
  static const auto s =
      config::Schema<O>("how far the frequencies of a frame lie from their mean")
          .field("p", &O::p, "power to which deviations are raised", config::between(0.01, 64.0))
          .field("norm", &O::norm, "whether magnitudes are divided by their sum in each frame");
  return s;
}

namespace {

double bandwidth(const double* row, const std::vector<double>& frequencies,
                 const SpectralBandwidthOptions& o) {
  const auto bins = std::ssize(frequencies);
  const double norm = norm_of(row, bins), centre = centroid_of(row, frequencies, norm);
  const double* f = frequencies.data();
  double sum = 0;
  if (o.p == 2.0)
    sum = vectorised([&] {
      return sum_of(bins, [&](std::int64_t k) { return row[k] * ((f[k] - centre) * (f[k] - centre)); });
    });
  else
    sum = sum_of(bins, [&](std::int64_t k) { return row[k] * std::pow(std::abs(f[k] - centre), o.p); });
  if (o.norm) sum /= norm;
  return o.p == 2.0 ? std::sqrt(sum) : std::pow(sum, 1 / o.p);
}

const OwnRegistration<SpectralBandwidthOptions> options;
const Registration<FeatureType> registration{
    "spectral_bandwidth",
    {.summary = "how far the frequencies of a frame lie from their mean, in Hz",
     .keys = transform_keys(),
     .source = FeatureType::Source::exact_spectrum,
     .width = [](const FeatureOptions&) -> std::int64_t { return 1; },
     .make_cpu = [](const FeatureOptions& o, std::int64_t) -> std::unique_ptr<CpuFeature> {
       return row_feature(
           1.0, [f = bin_frequencies(o.sample_rate, o.n_fft), own = o.own_as<SpectralBandwidthOptions>()](
                    const double* row) { return bandwidth(row, f, own); });
     }}};

}  // namespace
}  // namespace timbre::features
