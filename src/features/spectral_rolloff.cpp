#include "features/spectral_rolloff.hpp"

#include "config/schema.hpp"
#include "features/engine.hpp"
#include "features/frequencies.hpp"
#include "features/own_options.hpp"

namespace timbre::features {

const config::Schema<SpectralRolloffOptions>& schema(config::of<SpectralRolloffOptions>) {
  using O = SpectralRolloffOptions;
  static const auto s =
      config::Schema<O>("the frequency below which most of a frame's magnitude lies")
          .field("roll_percent", &O::roll_percent, "the share of the magnitude that lies below it",
                 config::Rule<double>{[](const double& v) { return v > 0 && v < 1; },
                                      "greater than 0 and less than 1",
                                      {.low = 0, .high = 1, .above_low = true, .below_high = true}});
  return s;
}

namespace {

/// Sums run over the bins in order, as NumPy's cumsum.
class Rolloff {
 public:
  explicit Rolloff(const FeatureOptions& o)
      : frequencies_(bin_frequencies(o.sample_rate, o.n_fft)),
        share_(o.own_as<SpectralRolloffOptions>().roll_percent),
        sums_(frequencies_.size()) {}

  double operator()(const double* row) {
    double sum = 0;
    for (std::size_t k = 0; k < sums_.size(); ++k) sums_[k] = sum += row[k];
    const double threshold = share_ * sum;
    std::size_t k = 0;
    while (sums_[k] < threshold) ++k;
    return frequencies_[k];
  }

 private:
  std::vector<double> frequencies_;
  double share_;
  std::vector<double> sums_;
};

const OwnRegistration<SpectralRolloffOptions> options;
const Registration<FeatureType> registration{
    "spectral_rolloff",
    {.summary = "the frequency below which roll_percent of a frame's magnitude lies, in Hz",
     .keys = transform_keys(),
     .source = FeatureType::Source::exact_spectrum,
     .width = [](const FeatureOptions&) -> std::int64_t { return 1; },
     .make_cpu = [](const FeatureOptions& o, std::int64_t) -> std::unique_ptr<CpuFeature> {
       return row_feature(1.0, Rolloff(o));
     }}};

}  // namespace
}  // namespace timbre::features
