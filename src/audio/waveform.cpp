#include "audio/waveform.hpp"

#include <algorithm>
#include <cmath>

#include "audio/time_and_pitch.hpp"
#include "core/philox.hpp"

namespace timbre::audio {

namespace {

std::string wrong_range(const std::vector<double>& range, const char* name) {
  return range.size() == 2 && range[0] <= range[1]
             ? ""
             : fmt::format("{} must be [low, high], in this order", name);
}

double within(const std::vector<double>& range, PhiloxSequence& random) {
  return random.uniform(range[0], range[1]);
}

}  // namespace

const config::Schema<StretchOptions>& schema(config::of<StretchOptions>) {
  static const auto s = config::Schema<StretchOptions>("makes a segment quicker or slower, at the same pitch")
                            .field("rate", &StretchOptions::rate,
                                   "least and largest speed; above 1 is quicker", config::between(0.25, 4.0))
                            .check([](const StretchOptions& o) { return wrong_range(o.rate, "rate"); });
  return s;
}

const config::Schema<PitchOptions>& schema(config::of<PitchOptions>) {
  static const auto s =
      config::Schema<PitchOptions>("makes a segment higher or lower, at the same speed")
          .field("semitones", &PitchOptions::semitones, "least and largest change",
                 config::between(-24.0, 24.0))
          .unit("semitones")
          .check([](const PitchOptions& o) { return wrong_range(o.semitones, "semitones"); });
  return s;
}

const config::Schema<GainOptions>& schema(config::of<GainOptions>) {
  static const auto s =
      config::Schema<GainOptions>("makes a segment louder or softer")
          .field("db", &GainOptions::db, "least and largest gain", config::between(-60.0, 60.0))
          .unit("dB")
          .check([](const GainOptions& o) { return wrong_range(o.db, "db"); });
  return s;
}

const config::Schema<NoiseOptions>& schema(config::of<NoiseOptions>) {
  static const auto s = config::Schema<NoiseOptions>("adds white noise")
                            .field("snr_db", &NoiseOptions::snr_db,
                                   "least and largest ratio of the segment's power to the noise's",
                                   config::between(-20.0, 100.0))
                            .unit("dB")
                            .check([](const NoiseOptions& o) { return wrong_range(o.snr_db, "snr_db"); });
  return s;
}

const config::Schema<TimeShiftOptions>& schema(config::of<TimeShiftOptions>) {
  static const auto s =
      config::Schema<TimeShiftOptions>("turns a segment round: what leaves at one end enters at the other")
          .field("seconds", &TimeShiftOptions::seconds, "largest shift, either way",
                 config::between(0.0, 3600.0))
          .unit("seconds");
  return s;
}

const config::Schema<PolarityOptions>& schema(config::of<PolarityOptions>) {
  static const auto s =
      config::Schema<PolarityOptions>("turns the sign of a segment's samples")
          .field("probability", &PolarityOptions::probability, "how often", config::between(0.0, 1.0));
  return s;
}

const config::Schema<WaveformOptions>& schema(config::of<WaveformOptions>) {
  static const auto s =
      config::Schema<WaveformOptions>(
          "changed copies of the training part's segments, made once from their samples and kept in the "
          "feature "
          "store. Validation and test have none")
          .field("copies", &WaveformOptions::copies,
                 "changed copies of each segment, beside the segment itself",
                 config::between(std::int64_t{1}, std::int64_t{100}))
          .later_field("stretch", &WaveformOptions::stretch,
                       "changes the speed. {} for the defaults, null: none")
          .later_field("pitch", &WaveformOptions::pitch, "changes the pitch. {} for the defaults, null: none")
          .later_field("time_shift", &WaveformOptions::time_shift,
                       "turns segments round. {} for the defaults, null: none")
          .later_field("polarity", &WaveformOptions::polarity,
                       "turns the sign of some. {} for the defaults, null: of none")
          .later_field("gain", &WaveformOptions::gain, "changes the level. {} for the defaults, null: none")
          .later_field("noise", &WaveformOptions::noise, "adds noise. {} for the defaults, null: none")
          .check([](const WaveformOptions& o) {
            return o.stretch || o.pitch || o.time_shift || o.polarity || o.gain || o.noise
                       ? ""
                       : "needs one of stretch, pitch, time_shift, polarity, gain and noise: copies without "
                         "a "
                         "change say nothing new";
          });
  return s;
}

void change_waveform(const WaveformOptions& options, std::uint64_t seed, std::uint32_t copy, int sample_rate,
                     std::span<float> samples) {
  if (samples.empty()) return;
  PhiloxSequence random(seed, stream::augment, copy);
  if (options.stretch || options.pitch) {
    const double rate = options.stretch ? within(options.stretch->rate, random) : 1;
    const double semitones = options.pitch ? within(options.pitch->semitones, random) : 0;
    const auto changed = change_time_and_pitch(samples, sample_rate, rate, semitones);
    const auto size = samples.size(), skipped = changed.size() > size ? (changed.size() - size) / 2 : 0;
    for (std::size_t i = 0; i < size; ++i) samples[i] = changed[(skipped + i) % changed.size()];
  }
  if (options.time_shift) {
    const auto n = std::ssize(samples), most = std::int64_t(options.time_shift->seconds * sample_rate);
    const auto shift = std::int64_t(random.below(std::uint64_t(2 * most + 1))) - most;
    std::ranges::rotate(samples, samples.begin() + ((-shift % n) + n) % n);
  }
  double factor = 1;
  if (options.polarity && random.uniform() < options.polarity->probability) factor = -1;
  if (options.gain) factor *= std::pow(10.0, within(options.gain->db, random) / 20);
  if (factor != 1)
    for (auto& x : samples) x = float(factor * double(x));
  if (options.noise) {
    double power = 0;
    for (const float x : samples) power += double(x) * double(x);
    power /= double(samples.size());
    const double deviation = std::sqrt(power / std::pow(10.0, within(options.noise->snr_db, random) / 10));
    if (deviation > 0)
      for (auto& x : samples) x = float(double(x) + deviation * random.normal());
  }
}

}  // namespace timbre::audio
