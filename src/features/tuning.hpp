// How far a recording is from the pitch of 440 Hz: librosa.estimate_tuning(S=S), as chroma_stft asks for it.
//
// In each frame, the peaks of S between 150 and 4000 Hz that exceed a tenth of the frame's maximum; each with the frequency
// and the height of the parabola through it and its neighbours. Of those that are at least as high as the median, the
// distance of each frequency from the nearest of bins_per_octave steps is counted in bins of a hundredth of a step. The
// lower edge of the fullest bin is the result, between -0.5 and 0.5; 0 where there is no peak. (The spectrum of a single click
// is flat: what peaks it has are rounding's, and the result is as arbitrary as librosa's.)
#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

#include "core/philox.hpp"  // TIMBRE_HD

namespace timbre::features {

/// Which bins may have a peak.
struct TuningRange {
  double rate_per_bin;     // Hz
  std::int64_t low, high;  // bins [low, high)
  TuningRange(int sample_rate, std::int64_t bins);
};
/// Of a frame's largest value, what a peak exceeds: piptrack's threshold.
inline constexpr double tuning_share = 0.1;
inline constexpr int tuning_steps = 100;  // hundredths

/// What CPU and CUDA kernels share.
struct TuningPeak {
  double place, height;  // in bins; height below 0: no peak
  /// Of row(k), k < bins, at bin k of [1, bins).
  template <class Row>
  TIMBRE_HD static TuningPeak at(const Row& row, std::int64_t k, std::int64_t bins, double threshold) {
    const double here = row(k), before = row(k - 1);
    if (!(here > threshold) || !(here > (before > threshold ? before : 0.0))) return {0, -1};
    if (k == bins - 1) return {double(k), here};
    const double after = row(k + 1);
    if (!(here >= (after > threshold ? after : 0.0))) return {0, -1};
    const double a = after + before - 2 * here, b = (after - before) / 2;
    const double shift = fabs(b) < fabs(a) ? -b / a : 0;
    return {double(k) + shift, here + 0.5 * b * shift};
  }
};
/// numpy.linspace(-0.5, 0.5, tuning_steps + 1)
TIMBRE_HD inline double tuning_edge(int i) {
  return i == tuning_steps ? 0.5 : i * (1.0 / tuning_steps) + -0.5;
}
/// In which hundredth of a step a frequency in Hz lies beside the nearest of bins_per_octave steps.
TIMBRE_HD inline int tuning_hundredth(double pitch, int bins_per_octave) {
  double residual = bins_per_octave * log2(pitch / (440.0 / 16));
  residual -= floor(residual);
  if (residual >= 0.5) residual -= 1;
  int i = static_cast<int>((residual + 0.5) * tuning_steps);
  i = i < 0 ? 0 : i >= tuning_steps ? tuning_steps - 1 : i;
  while (i > 0 && residual < tuning_edge(i)) --i;
  while (i + 1 < tuning_steps && residual >= tuning_edge(i + 1)) ++i;
  return i;
}

class TuningEstimate {
 public:
  TuningEstimate(int sample_rate, std::int64_t bins, int bins_per_octave);
  /// Of a segment begins anew.
  void begin() { peaks_.clear(); }
  /// The next frame's S [bins].
  void add(const double* row);
  double result();

 private:
  struct Peak {
    double pitch, height;
  };
  TuningRange range_;
  std::int64_t bins_;
  int bins_per_octave_;
  std::vector<Peak> peaks_;
  std::vector<double> heights_;
};

}  // namespace timbre::features
