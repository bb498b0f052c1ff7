#include "audio/synthetic_voices.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace timbre::audio::voices {

namespace {

constexpr double rate = 22050, tau = 2 * std::numbers::pi;

/// Samples of [start, start + length) that lie in the buffer.
std::int64_t clipped(std::span<float> out, std::int64_t start, std::int64_t length) {
  return std::clamp<std::int64_t>(std::int64_t(out.size()) - start, 0, length);
}

/// The factor of each sample with which a level falls to 1/1000 in so many seconds.
float decay_factor(double seconds) { return float(std::exp(std::log(1e-3) / (seconds * rate))); }

}  // namespace

Tone::Tone(double tilt, double even) {
  for (int level = 0; level < levels; ++level) {
    auto& table = tables_[std::size_t(level)];
    table.assign(size + 1, 0.0f);
    double power = 0;
    for (int k = 1; k <= std::max(1, 48 >> level); ++k) {
      const double a = std::pow(k, -tilt) * (k % 2 == 0 ? even : 1.0);
      power += a * a / 2;
      for (int i = 0; i <= size; ++i)
        table[std::size_t(i)] += float(a * std::sin(tau * ((std::int64_t{k} * i) % size) / size));
    }
    for (auto& v : table) v *= float(1 / std::sqrt(power));
  }
}

const std::vector<float>& Tone::table_for(double hertz) const {
  int level = 0;
  while (level + 1 < levels && hertz * (48 >> level) > 0.45 * rate) ++level;
  return tables_[std::size_t(level)];
}

template <class Add>
void Tone::play(double hertz, double phase, std::int64_t count, Add&& add) const {
  const auto* table = table_for(hertz).data();
  std::uint32_t at = std::uint32_t(std::int64_t(phase * 0x1p32)), step = std::uint32_t(hertz / rate * 0x1p32);
  for (std::int64_t i = 0; i < count; ++i, at += step) {
    const auto cell = at >> (32 - bits);
    const float rest = float(at & ((1u << (32 - bits)) - 1)) * float(1.0 / (1u << (32 - bits)));
    add(i, table[cell] + rest * (table[cell + 1] - table[cell]));
  }
}

void add_note(std::span<float> out, const Tone& tone, const Note& note, double phase) {
  const auto count = clipped(out, note.start, note.length);
  constexpr std::int64_t edge = 60;  // samples of fade against clicks, at both ends
  const bool grows = note.envelope == Envelope::swell;
  const float factor = float(std::exp((grows ? note.falls : -note.falls) / double(note.length)));
  float level = float(note.gain * (grows ? std::exp(-note.falls) : 1.0));
  float* to = out.data() + note.start;
  tone.play(note.hertz, phase, count, [&](std::int64_t i, float v) {
    const auto near = std::min({i, note.length - 1 - i, edge});
    to[i] += v * level * float(near) * (1.0f / edge);
    level *= factor;
  });
}

void add_pad(std::span<float> out, const Tone& tone, const Pad& pad) {
  const auto count = clipped(out, pad.start, pad.length);
  constexpr std::int64_t edge = 400;
  // cos by rotation: one complex product per sample.
  const double step = tau * pad.rate / rate, begin = tau * (pad.phase + pad.rate * double(pad.start) / rate);
  const float step_re = float(std::cos(step)), step_im = float(std::sin(step));
  std::vector<float> level(static_cast<std::size_t>(count));
  float re = float(std::cos(begin)), im = float(std::sin(begin));
  for (std::int64_t i = 0; i < count; ++i) {
    const auto near = std::min({i, pad.length - 1 - i, edge});
    level[std::size_t(i)] = float(pad.gain) * float(1 - pad.depth * (1 - std::clamp(0.5f + re, 0.0f, 1.0f))) *
                            float(near) * (1.0f / edge);
    const float next = re * step_re - im * step_im;
    im = re * step_im + im * step_re, re = next;
    if (i % 4096 == 4095) {  // rounding must not make it grow or shrink
      const float length = 1 / std::sqrt(re * re + im * im);
      re *= length, im *= length;
    }
  }
  float* to = out.data() + pad.start;
  double phase = pad.phase;
  for (const auto hertz : pad.hertz) {
    tone.play(hertz, phase, count, [&](std::int64_t i, float v) { to[i] += v * level[std::size_t(i)]; });
    phase += 0.37, phase -= std::floor(phase);
  }
}

void add_sweeps(std::span<float> out, const Tone& tone, const Sweep& sweep) {
  const auto end = std::int64_t(out.size());
  float low = 0, band = 0;  // state-variable filter (Chamberlin)
  const float damping = float(2 * (1 - sweep.resonance));
  // The cut-off moves in steps of 32 samples.
  const double ratio = std::pow(sweep.to / sweep.from, 32.0 / double(sweep.period));
  std::size_t turn = 0;
  for (std::int64_t start = 0; start < end; start += sweep.period, ++turn) {
    double cutoff = sweep.from;
    float f = 0;
    tone.play(sweep.hertz[turn % sweep.hertz.size()], 0.0, std::min(sweep.period, end - start),
              [&](std::int64_t i, float v) {
                if (i % 32 == 0)
                  f = float(2 * std::sin(std::numbers::pi * std::min(cutoff, 3400.0) / rate)),
                  cutoff *= ratio;
                low += f * band;
                const float high = v - low - damping * band;
                band += f * high;
                out[std::size_t(start + i)] += float(sweep.gain) * low;
              });
  }
}

Noise::Noise(PhiloxSequence& random) : samples_(size) {
  // Sum of two uniforms: near enough to normal for the ear, with deviation 1.
  for (auto& v : samples_) {
    const float a = uniform_float(random.next()), b = uniform_float(random.next());
    v = 2.4494897f * (a + b - 1);
  }
}

void add_kick(std::span<float> out, const Hit& hit, double hertz) {
  const auto count = clipped(out, hit.start, std::int64_t(hit.seconds * rate));
  const float factor = decay_factor(hit.seconds), bend = decay_factor(0.15);
  float level = float(1.4 * hit.gain), extra = 2.5f;
  double phase = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    out[std::size_t(hit.start + i)] += level * float(std::sin(phase));
    phase += tau * hertz / rate * double(1 + extra);
    level *= factor, extra *= bend;
  }
}

void add_snare(std::span<float> out, const Noise& noise, const Hit& hit, double hertz) {
  const auto count = clipped(out, hit.start, std::int64_t(hit.seconds * rate));
  const float factor = decay_factor(hit.seconds), step_re = float(std::cos(tau * hertz / rate)),
              step_im = float(std::sin(tau * hertz / rate));
  float level = float(hit.gain), smooth = 0, re = 1, im = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    smooth += 0.6f * (noise[hit.place + std::uint64_t(i)] - smooth);
    out[std::size_t(hit.start + i)] += level * (smooth + 0.7f * im);
    const float next = re * step_re - im * step_im;
    im = re * step_im + im * step_re, re = next;
    level *= factor;
  }
}

void add_hat(std::span<float> out, const Noise& noise, const Hit& hit) {
  const auto count = clipped(out, hit.start, std::int64_t(hit.seconds * rate));
  const float factor = decay_factor(hit.seconds);
  float level = float(hit.gain), before = 0, before2 = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    const float v = noise[hit.place + std::uint64_t(i)];
    out[std::size_t(hit.start + i)] += level * 0.41f * (v - 2 * before + before2);  // (1 - z^-1)^2: high-pass
    before2 = before, before = v;
    level *= factor;
  }
}

}  // namespace timbre::audio::voices
