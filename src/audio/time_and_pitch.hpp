// Speed and pitch of a sound, each without the other. The Rubber Band library changes the speed (its finer engine, R3, offline,
// on one thread). The pitch is a change of speed that libsoxr's resampling takes back, as in librosa. (Rubber Band's own
// resampler takes 0.3 s to begin, for a segment that is stretched in 0.02 s.)
//
//   speed     rate > 1 is quicker: L samples become L / rate, as librosa.effects.time_stretch has it
//   pitch     x 2^(semitones / 12), as librosa.effects.pitch_shift has it
//
// The same samples give the same bytes. librosa's phase vocoder gives other samples: the numbers are the same in length and in
// frequency alone.
// Source: https://breakfastquay.com/rubberband (GPL).
#pragma once

#include <span>
#include <vector>

namespace timbre::audio {

/// [L] -> [round(L / rate)]. rate > 0; sounds shorter than 64 samples stay as they are.
std::vector<float> change_time_and_pitch(std::span<const float> samples, int sample_rate, double rate,
                                         double semitones);

}  // namespace timbre::audio
