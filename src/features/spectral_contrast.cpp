#include "features/spectral_contrast.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <iterator>

#include "config/schema.hpp"
#include "core/text.hpp"
#include "features/decibel.hpp"
#include "features/engine.hpp"
#include "features/frequencies.hpp"
#include "features/own_options.hpp"

namespace timbre::features {

const config::Schema<SpectralContrastOptions>& schema(config::of<SpectralContrastOptions>) {
  using O = SpectralContrastOptions;
  static const auto s =
      config::Schema<O>("how far the peaks of each octave lie above its valleys")
          .field("fmin", &O::fmin, "upper end of the lowest band; each of the others is an octave",
                 config::above(0.0))
          .unit("Hz")
          .field("n_bands", &O::n_bands, "number of octaves above fmin", config::between(1, 32))
          .field("quantile", &O::quantile, "the share of a band's bins that its peaks, and its valleys, are",
                 config::Rule<double>{[](const double& v) { return v > 0 && v < 1; },
                                      "greater than 0 and less than 1",
                                      {.low = 0, .high = 1, .above_low = true, .below_high = true}})
          .field("linear", &O::linear, "whether magnitudes are subtracted rather than decibels");
  return s;
}

namespace {

/// Where band b begins; the last one's end is that of octave n_bands.
double octave(const SpectralContrastOptions& o, int b) { return b == 0 ? 0.0 : o.fmin * std::exp2(b - 1); }

/// The bins of each band as librosa selects them, empty ones as well.
std::vector<ContrastBand> bands_of(const FeatureOptions& options) {
  const auto& o = options.own_as<SpectralContrastOptions>();
  const auto f = bin_frequencies(options.sample_rate, options.n_fft);
  const auto bins = std::ssize(f);
  std::vector<ContrastBand> out;
  for (int b = 0; b <= o.n_bands; ++b) {
    auto begin = std::lower_bound(f.begin(), f.end(), octave(o, b)) - f.begin(),
         end = std::upper_bound(f.begin(), f.end(), octave(o, b + 1)) - f.begin();
    if (begin >= end) {
      out.push_back({begin, 0, 0});
      continue;
    }
    if (b > 0) --begin;
    if (b == o.n_bands) end = bins;
    const auto taken = std::max<std::int64_t>(
        1, static_cast<std::int64_t>(std::nearbyint(o.quantile * double(end - begin))));
    const auto count = end - begin - (b < o.n_bands ? 1 : 0);
    out.push_back({begin, count, std::min(taken, count)});
  }
  return out;
}

std::string check(const FeatureOptions& options) {
  const auto& o = options.own_as<SpectralContrastOptions>();
  if (octave(o, o.n_bands) >= options.sample_rate / 2.0)
    return fmt::format(
        "the highest band of spectral_contrast begins at {} Hz, above half the sample rate; a lower fmin or "
        "fewer "
        "n_bands",
        number_text(octave(o, o.n_bands)));
  const auto bands = bands_of(options);
  for (int b = 0; b <= o.n_bands; ++b)
    if (bands[std::size_t(b)].count == 0)
      return fmt::format(
          "the band of spectral_contrast from {} to {} Hz holds no bin of n_fft {}; a larger n_fft or fmin",
          number_text(octave(o, b)), number_text(octave(o, b + 1)), options.n_fft);
  return "";
}

/// power_to_db(x) in place: ref 1, amin 1e-10, top_db 80.
void to_decibels(std::vector<double>& x) {
  for (double& v : x) v = 10 * std::log10(std::max(v, double(smallest_power)));
  const double floor = *std::max_element(x.begin(), x.end()) - 80;
  for (double& v : x) v = std::max(v, floor);
}

class SpectralContrast final : public CpuFeature {
 public:
  SpectralContrast(const FeatureOptions& options, std::int64_t samples)
      : linear_(options.own_as<SpectralContrastOptions>().linear),
        bands_(contrast_bands(options)),
        peaks_(static_cast<std::size_t>(frame_count(options, samples)) * bands_.size()),
        valleys_(peaks_.size()) {
    for (const auto& band : bands_) ends_.resize(std::max(ends_.size(), std::size_t(band.taken)));
  }

  void take(Spectra& spectra, std::int64_t first, std::int64_t count, float*) override {
    const double* row = spectra.exact_rows(1.0);
    auto at = std::size_t(first) * bands_.size();
    for (std::int64_t t = 0; t < count; ++t, row += spectra.row_stride())
      for (const auto& band : bands_) {
        const double *begin = row + band.first, *end = begin + band.count;
        // Spectra fall: backwards, few values are smaller than those before them.
        const auto last = std::make_reverse_iterator(end), first_one = std::make_reverse_iterator(begin);
        valleys_[at] = mean_of_first(last, first_one, band.taken, std::less<>{});
        peaks_[at] = mean_of_first(begin, end, band.taken, std::greater<>{});
        ++at;
      }
  }

  void finish(float* out) override {
    if (!linear_) to_decibels(peaks_), to_decibels(valleys_);
    for (std::size_t i = 0; i < peaks_.size(); ++i) out[i] = static_cast<float>(peaks_[i] - valleys_[i]);
  }

 private:
  template <class Iterator, class Less>
  double mean_of_first(Iterator begin, Iterator end, std::int64_t taken, Less less) {
    const auto last = ends_.begin() + taken;
    std::partial_sort_copy(begin, end, ends_.begin(), last, less);
    double sum = 0;
    for (auto it = ends_.begin(); it != last; ++it) sum += *it;
    return sum / double(taken);
  }

  bool linear_;
  std::vector<ContrastBand> bands_;
  std::vector<double> peaks_, valleys_;  // [T, bands]
  std::vector<double> ends_;             // the smallest or largest of one band
};

const OwnRegistration<SpectralContrastOptions> options;
const Registration<FeatureType> registration{
    "spectral_contrast",
    {.summary = "how far the peaks of each octave lie above its valleys, in dB: n_bands + 1 values",
     .keys = transform_keys(),
     .source = FeatureType::Source::exact_spectrum,
     .width = [](const FeatureOptions& o) -> std::int64_t {
       return o.own_as<SpectralContrastOptions>().n_bands + 1;
     },
     .check = check,
     .make_cpu = [](const FeatureOptions& o, std::int64_t samples) -> std::unique_ptr<CpuFeature> {
       return std::make_unique<SpectralContrast>(o, samples);
     }}};

}  // namespace

std::vector<ContrastBand> contrast_bands(const FeatureOptions& options) { return bands_of(options); }

}  // namespace timbre::features
