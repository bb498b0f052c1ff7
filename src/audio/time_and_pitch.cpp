#include "audio/time_and_pitch.hpp"

#include <rubberband/RubberBandStretcher.h>
#include <soxr.h>

#include <algorithm>
#include <cmath>

#include "core/error.hpp"

namespace timbre::audio {

namespace {

/// [L] -> [wanted], with the pitches as they are.
std::vector<float> stretched(std::span<const float> samples, int sample_rate, std::size_t wanted) {
  using RubberBand::RubberBandStretcher;
  if (wanted == samples.size()) return {samples.begin(), samples.end()};
  RubberBandStretcher stretcher(std::size_t(sample_rate), 1,
                                RubberBandStretcher::OptionProcessOffline |
                                    RubberBandStretcher::OptionThreadingNever |
                                    RubberBandStretcher::OptionEngineFiner,
                                double(wanted) / double(samples.size()));
  stretcher.setExpectedInputDuration(samples.size());
  stretcher.setMaxProcessSize(samples.size());
  const float* in = samples.data();
  stretcher.study(&in, samples.size(), true);
  stretcher.process(&in, samples.size(), true);
  std::vector<float> out(wanted, 0.0F);
  for (std::size_t done = 0; done < wanted;) {
    const auto available = stretcher.available();
    if (available <= 0) break;  // the last samples are silence
    float* to = out.data() + done;
    done += stretcher.retrieve(&to, std::min(std::size_t(available), wanted - done));
  }
  return out;
}

/// As if played at another speed: [L] -> [wanted], all pitches L / wanted times as high.
std::vector<float> played(const std::vector<float>& samples, std::size_t wanted) {
  if (wanted == samples.size()) return samples;
  std::vector<float> out(wanted, 0.0F);
  const auto quality = soxr_quality_spec(SOXR_HQ, 0);
  const auto runtime = soxr_runtime_spec(1);
  std::size_t used = 0, made = 0;
  if (const auto* wrong =
          soxr_oneshot(double(samples.size()), double(wanted), 1, samples.data(), samples.size(), &used,
                       out.data(), wanted, &made, nullptr, &quality, &runtime))
    fail("resampling failed: {}", wrong);
  return out;
}

}  // namespace

std::vector<float> change_time_and_pitch(std::span<const float> samples, int sample_rate, double rate,
                                         double semitones) {
  constexpr std::size_t shortest = 64;
  if (samples.size() < shortest) return {samples.begin(), samples.end()};
  const auto length = [&](double factor) {
    return std::size_t(std::llround(double(samples.size()) * factor));
  };
  return played(stretched(samples, sample_rate, length(std::exp2(semitones / 12) / rate)), length(1 / rate));
}

}  // namespace timbre::audio
