#include "features/onset_strength.hpp"

#include <algorithm>
#include <cmath>

#include "config/schema.hpp"
#include "core/simd.hpp"
#include "features/decibel.hpp"
#include "features/engine.hpp"
#include "features/own_options.hpp"
#include "features/sums.hpp"

namespace timbre::features {

const config::Schema<OnsetStrengthOptions>& schema(config::of<OnsetStrengthOptions>) {
  using O = OnsetStrengthOptions;
  static const auto s =
      config::Schema<O>("how much louder a frame's mel bands are than those of an earlier one")
          .field("lag", &O::lag, "how many frames earlier that one is", config::between(1, 1 << 20))
          .unit("frames")
          .field("max_size", &O::max_size,
                 "over how many bands around each the earlier frame's maximum is taken",
                 config::between(1, 4096))
          .unit("bands")
          .field("detrend", &O::detrend, "whether a filter takes its slow changes away")
          .field("center", &O::center, "whether it is moved by half a frame, to where the sound begins")
          .field("aggregate", &O::aggregate, "what becomes of the bands' differences",
                 config::choice_of({{"mean", "their mean"}, {"median", "their median"}}));
  return s;
}

std::int64_t onset_shift(const FeatureOptions& options, const OnsetStrengthOptions& own) {
  return own.lag + (own.center ? options.n_fft / (2 * options.hop_length) : 0);
}

OnsetEnvelope::OnsetEnvelope(const FeatureOptions& options, const OnsetStrengthOptions& own,
                             std::int64_t segment_samples)
    : o_(own),
      frames_(frame_count(options, segment_samples)),
      shift_(onset_shift(options, own)),
      power_(options.power),
      filters_(options),
      bands_(static_cast<std::size_t>(frames_ * filters_.size())),
      decibels_(bands_.size()),
      differences_(static_cast<std::size_t>(filters_.size())),
      envelope_(static_cast<std::size_t>(frames_)) {}

void OnsetEnvelope::take(Spectra& spectra, std::int64_t first, std::int64_t count) {
  filters_.apply(spectra.rows(power_), count, spectra.row_stride(), bands_.data() + first * filters_.size());
}

double OnsetEnvelope::strength(const double* now, const double* before) {
  const auto bands = filters_.size();
  double* d = differences_.data();
  if (o_.max_size == 1) {
    vectorised([&] {
      for (std::int64_t m = 0; m < bands; ++m) d[m] = now[m] - before[m];
    });
  } else {
    const std::int64_t below = o_.max_size / 2, above = o_.max_size - below;
    for (std::int64_t m = 0; m < bands; ++m)
      d[m] = now[m] - *std::max_element(before + std::max<std::int64_t>(0, m - below),
                                        before + std::min(bands, m + above));
  }
  vectorised([&] {
    for (std::int64_t m = 0; m < bands; ++m) d[m] = d[m] > 0 ? d[m] : 0;
  });
  if (o_.aggregate == "mean")
    return vectorised([&] { return sum_of(bands, [&](std::int64_t m) { return d[m]; }); }) / double(bands);
  const auto half = differences_.begin() + bands / 2;
  std::nth_element(differences_.begin(), half, differences_.end());
  return bands % 2 == 1 ? *half : 0.5 * (*half + *std::max_element(differences_.begin(), half));
}

const std::vector<double>& OnsetEnvelope::finish() {
  const auto bands = filters_.size();
  double largest = smallest_power;
  for (const float v : bands_) largest = std::max(largest, double(v));
  const double floor = 10 * std::log10(largest) - 80;
  for (std::size_t i = 0; i < bands_.size(); ++i)
    decibels_[i] = std::max(10 * std::log10(std::max(double(bands_[i]), double(smallest_power))), floor);
  std::fill(envelope_.begin(), envelope_.end(), 0.0);
  for (auto t = shift_; t < frames_; ++t) {
    const auto now = t - shift_ + o_.lag;
    envelope_[std::size_t(t)] =
        strength(decibels_.data() + now * bands, decibels_.data() + (now - o_.lag) * bands);
  }
  if (o_.detrend) {
    double before = 0, out = 0;
    for (double& e : envelope_) {
      out = e - before + 0.99 * out;
      before = e;
      e = out;
    }
  }
  return envelope_;
}

namespace {

class OnsetStrength final : public CpuFeature {
 public:
  OnsetStrength(const FeatureOptions& options, std::int64_t samples)
      : envelope_(options, options.own_as<OnsetStrengthOptions>(), samples) {}
  void take(Spectra& spectra, std::int64_t first, std::int64_t count, float*) override {
    envelope_.take(spectra, first, count);
  }
  void finish(float* out) override {
    for (const double v : envelope_.finish()) *out++ = static_cast<float>(v);
  }

 private:
  OnsetEnvelope envelope_;
};

std::vector<std::string> keys() {
  auto out = mel_keys();
  std::erase(out, "center");
  return out;
}

const OwnRegistration<OnsetStrengthOptions> options;
const Registration<FeatureType> registration{
    "onset_strength",
    {.summary = "how much louder a frame's mel bands are than those of an earlier one, in dB",
     .keys = keys(),
     .source = FeatureType::Source::exact_spectrum,
     .width = [](const FeatureOptions&) -> std::int64_t { return 1; },
     .make_cpu = [](const FeatureOptions& o, std::int64_t samples) -> std::unique_ptr<CpuFeature> {
       return std::make_unique<OnsetStrength>(o, samples);
     },
     .note = note_on_empty_bands}};

}  // namespace
}  // namespace timbre::features
