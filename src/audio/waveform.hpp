// Changes of a segment's samples, for copies of the training part (`augmentation.waveform:` of a configuration).
//
//   x [L] -> stretch      quicker or slower by a rate, uniform in `rate`; of what is longer than before, the middle is kept, and
//                         what is shorter is repeated to its length
//         -> pitch        higher or lower by semitones, uniform in `semitones`
//         -> time_shift   x turned round by up to `seconds` either way: what leaves at one end enters at the other
//         -> polarity     -x with this probability
//         -> gain         x 10^(g / 20), g uniform in `db`
//         -> noise        x + n, n white and normal with power mean(x^2) / 10^(s / 10), s uniform in `snr_db`; silence stays
//
// in this order; those that are not given change nothing. Samples may leave [-1, 1]: features take them as they are.
// The draws come from (seed, stream::augment, copy), seed: of the segment.
// Errors: RequestError for a range that is not two numbers in order, and for numbers out of range.
// Source: audiomentations' TimeStretch, PitchShift, Shift, PolarityInversion, Gain and AddGaussianSNR.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "config/schema.hpp"

namespace timbre::audio {

struct StretchOptions {
  std::vector<double> rate{0.9, 1.1};
};
struct PitchOptions {
  std::vector<double> semitones{-2, 2};
};
struct GainOptions {
  std::vector<double> db{-6, 6};
};
struct NoiseOptions {
  std::vector<double> snr_db{10, 30};
};
struct TimeShiftOptions {
  double seconds = 0.5;
};
struct PolarityOptions {
  double probability = 0.5;
};
struct WaveformOptions {
  std::int64_t copies = 1;  // of each training segment, beside itself
  std::optional<StretchOptions> stretch;
  std::optional<PitchOptions> pitch;
  std::optional<TimeShiftOptions> time_shift;
  std::optional<PolarityOptions> polarity;
  std::optional<GainOptions> gain;
  std::optional<NoiseOptions> noise;
};
const config::Schema<StretchOptions>& schema(config::of<StretchOptions>);
const config::Schema<PitchOptions>& schema(config::of<PitchOptions>);
const config::Schema<GainOptions>& schema(config::of<GainOptions>);
const config::Schema<NoiseOptions>& schema(config::of<NoiseOptions>);
const config::Schema<TimeShiftOptions>& schema(config::of<TimeShiftOptions>);
const config::Schema<PolarityOptions>& schema(config::of<PolarityOptions>);
const config::Schema<WaveformOptions>& schema(config::of<WaveformOptions>);

/// Changes the samples of one segment, at this rate, into those of copy `copy` (from 1).
void change_waveform(const WaveformOptions& options, std::uint64_t seed, std::uint32_t copy, int sample_rate,
                     std::span<float> samples);

}  // namespace timbre::audio
