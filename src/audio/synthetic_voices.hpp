// The instruments of the synthetic genres. Each adds to a buffer of mono samples at 22,050 Hz; times are in
// samples. Oscillators read wavetables, envelopes and filters are recurrences: a sample costs a few
// nanoseconds.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "core/philox.hpp"

namespace timbre::audio::voices {

/// One period of a harmonic tone, in versions with fewer and fewer harmonics for higher notes.
class Tone {
 public:
  /// Harmonic k has amplitude k^-tilt; even ones are weighted by `even` (0: hollow, as a clarinet).
  Tone(double tilt, double even);

  /// A periodic signal of this tone. `add` is called with (index, value) for `count` samples.
  template <class Add>
  void play(double hertz, double phase, std::int64_t count, Add&& add) const;

 private:
  static constexpr int bits = 10, levels = 7, size = 1 << bits;
  std::array<std::vector<float>, levels> tables_;  // [level][size + 1], level l: 48 >> l harmonics
  const std::vector<float>& table_for(double hertz) const;
};

/// How a note's level goes: decay falls exponentially from its start; swell is the same, backwards in time.
enum class Envelope { decay, swell };

struct Note {
  std::int64_t start = 0, length = 0;
  double hertz = 220, gain = 1;
  double falls = 5;  // the level falls by exp(-falls) over the note
  Envelope envelope = Envelope::decay;
};
void add_note(std::span<float> out, const Tone& tone, const Note& note, double phase);

/// Held notes whose common level beats, a third of the time full and a third down:
/// 1 - depth (1 - c), c = 1/2 + cos(2 pi (rate t + phase)) clipped to [0, 1].
struct Pad {
  std::int64_t start = 0, length = 0;
  std::vector<double> hertz;
  double gain = 1, rate = 1, depth = 1, phase = 0;
};
void add_pad(std::span<float> out, const Tone& tone, const Pad& pad);

/// A held buzz through a two-pole low-pass whose cut-off runs from `from` to `to` hertz (exponentially) in
/// `period` samples, again and again.
struct Sweep {
  std::int64_t period = 22050;
  std::vector<double> hertz;  // one note per sweep, in turn
  double gain = 1, from = 200, to = 4000, resonance = 0.5;
};
void add_sweeps(std::span<float> out, const Tone& tone, const Sweep& sweep);

/// White noise drawn once per clip; drums and hiss read it from changing places.
class Noise {
 public:
  explicit Noise(PhiloxSequence& random);
  float operator[](std::uint64_t i) const { return samples_[i & (size - 1)]; }

 private:
  static constexpr std::uint64_t size = 1 << 15;
  std::vector<float> samples_;
};

struct Hit {
  std::int64_t start = 0;
  double gain = 1, seconds = 0.1;  // to a level of 1/1000
  std::uint64_t place = 0;         // in the noise
};
void add_kick(std::span<float> out, const Hit& hit, double hertz);
void add_snare(std::span<float> out, const Noise& noise, const Hit& hit, double hertz);
void add_hat(std::span<float> out, const Noise& noise, const Hit& hit);

}  // namespace timbre::audio::voices
