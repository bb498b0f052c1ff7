#include "features/tempo.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "config/schema.hpp"
#include "core/error.hpp"
#include "features/engine.hpp"
#include "features/fft.hpp"
#include "features/frequencies.hpp"
#include "features/onset_strength.hpp"
#include "features/own_options.hpp"
#include "features/window.hpp"

namespace timbre::features {

const config::Schema<TempoOptions>& schema(config::of<TempoOptions>) {
  using O = TempoOptions;
  static const auto s =
      config::Schema<O>("beats a minute, one number of a whole clip")
          .field("start_bpm", &O::start_bpm, "the tempo that is taken for the likeliest", config::above(0.0))
          .unit("beats a minute")
          .field("std_bpm", &O::std_bpm, "how far from it tempos are likely", config::above(0.0))
          .unit("octaves")
          .field("ac_size", &O::ac_size, "how long a stretch is compared with itself",
                 config::between(0.01, 600.0))
          .unit("s")
          .field("max_tempo", &O::max_tempo, "a tempo is less than this. null: no limit", config::above(0.0))
          .unit("beats a minute");
  return s;
}

std::int64_t tempo_lags(const FeatureOptions& o) {
  return static_cast<std::int64_t>(o.own_as<TempoOptions>().ac_size * o.sample_rate) / o.hop_length;
}

TempoScore::TempoScore(const FeatureOptions& o)
    : samples_per_minute(60.0 * o.sample_rate), hop_length(o.hop_length) {
  const auto& own = o.own_as<TempoOptions>();
  start_bpm = own.start_bpm, std_bpm = own.std_bpm;
  max_tempo = own.max_tempo.value_or(std::numeric_limits<double>::infinity());
}

namespace {

/// The autocorrelation of `size` values, by a transform of twice as many.
class Autocorrelation {
 public:
  explicit Autocorrelation(std::int64_t size)
      : size_(size),
        padded_(2 * size),
        x_(static_cast<std::size_t>(padded_)),
        spectrum_(static_cast<std::size_t>(2 * (size + 1))) {
    const std::lock_guard lock(fft_planner());
    auto* z = reinterpret_cast<fftw_complex*>(spectrum_.data());
    forth_ = fftw_plan_dft_r2c_1d(static_cast<int>(padded_), x_.data(), z, FFTW_ESTIMATE);
    back_ = fftw_plan_dft_c2r_1d(static_cast<int>(padded_), z, x_.data(), FFTW_ESTIMATE);
  }
  ~Autocorrelation() {
    const std::lock_guard lock(fft_planner());
    fftw_destroy_plan(forth_), fftw_destroy_plan(back_);
  }
  Autocorrelation(const Autocorrelation&) = delete;
  Autocorrelation& operator=(const Autocorrelation&) = delete;

  /// value(i), i < size -> [size], times a constant; valid until the next call.
  template <class Value>
  const double* of(Value value) {
    for (std::int64_t i = 0; i < size_; ++i) x_[std::size_t(i)] = value(i);
    std::fill(x_.begin() + size_, x_.end(), 0.0);
    fftw_execute(forth_);
    for (std::size_t k = 0; k < spectrum_.size(); k += 2) {
      spectrum_[k] = spectrum_[k] * spectrum_[k] + spectrum_[k + 1] * spectrum_[k + 1];
      spectrum_[k + 1] = 0;
    }
    fftw_execute(back_);
    for (std::int64_t i = 0; i < size_; ++i) x_[std::size_t(i)] /= double(padded_);
    return x_.data();
  }

 private:
  std::int64_t size_, padded_;
  Aligned<double> x_, spectrum_;
  fftw_plan forth_, back_;
};

class Tempo final : public CpuFeature {
 public:
  Tempo(const FeatureOptions& options, std::int64_t samples)
      : score_(options),
        envelope_(options, {}, samples),
        lags_(tempo_lags(options)),
        window_(window_values("hann", static_cast<int>(lags_), static_cast<int>(lags_))),
        autocorrelation_(lags_) {}

  void take(Spectra& spectra, std::int64_t first, std::int64_t count, float*) override {
    envelope_.take(spectra, first, count);
  }

  void finish(float* out) override {
    const auto& e = envelope_.finish();
    const auto frames = envelope_.frames(), pad = lags_ / 2;
    const auto padded = [&](std::int64_t i) {  // NumPy's linear_ramp to 0
      if (i < 0) return e.front() * double(i + pad) / double(pad);
      if (i >= frames) return e.back() * double(frames + pad - 1 - i) / double(pad);
      return e[std::size_t(i)];
    };
    std::vector<double> mean(static_cast<std::size_t>(lags_));
    for (std::int64_t t = 0; t < frames; ++t) {
      const double* a =
          autocorrelation_.of([&](std::int64_t i) { return padded(t - pad + i) * window_[std::size_t(i)]; });
      double largest = 0;
      for (std::int64_t l = 0; l < lags_; ++l) largest = std::max(largest, std::abs(a[l]));
      if (largest < smallest_norm) largest = 1;
      for (std::int64_t l = 0; l < lags_; ++l) mean[std::size_t(l)] += a[l] / largest;
    }
    std::fill_n(out, frames, static_cast<float>(score_.bpm(best(mean, double(frames)))));
  }

 private:
  /// The likeliest lag, of sums over `frames` frames.
  std::int64_t best(const std::vector<double>& sums, double frames) const {
    std::int64_t out = 0;
    double highest = 0;
    for (std::int64_t l = 1; l < lags_; ++l) {
      if (!score_.allowed(l)) continue;
      const double score = score_.of(l, sums[std::size_t(l)] / frames);
      if (out == 0 || score > highest) out = l, highest = score;
    }
    return out;
  }

  TempoScore score_;
  OnsetEnvelope envelope_;
  std::int64_t lags_;
  std::vector<double> window_;  // [lags]
  Autocorrelation autocorrelation_;
};

std::string check(const FeatureOptions& o) {
  const auto& own = o.own_as<TempoOptions>();
  const auto lags = tempo_lags(o);
  if (lags < 2 || !TempoScore(o).allowed(lags - 1))
    return fmt::format("tempo: no tempo below max_tempo repeats within ac_size, {} s",
                       number_text(own.ac_size));
  if (lags > 1 << 20) return "tempo: ac_size has more than 1,048,576 frames; a larger hop_length";
  return "";
}

const OwnRegistration<TempoOptions> options;
const Registration<FeatureType> registration{
    "tempo",
    {.summary = "beats a minute: one number of a whole clip, the same in all of its frames",
     .keys = {"hop_length"},
     .source = FeatureType::Source::exact_spectrum,
     .width = [](const FeatureOptions&) -> std::int64_t { return 1; },
     .check = check,
     .make_cpu = [](const FeatureOptions& o, std::int64_t samples) -> std::unique_ptr<CpuFeature> {
       return std::make_unique<Tempo>(o, samples);
     },
     .whole_clips = "taken from 3 s, it agreed with the clip's own in 63% of segments"}};

}  // namespace
}  // namespace timbre::features
