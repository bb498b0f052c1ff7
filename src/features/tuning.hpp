// How far a recording is from the pitch of 440 Hz: librosa.estimate_tuning(S=S), as chroma_stft asks for it.
//
// In each frame, the peaks of S between 150 and 4000 Hz that exceed a tenth of the frame's maximum; each with the frequency
// and the height of the parabola through it and its neighbours. Of those that are at least as high as the median, the
// distance of each frequency from the nearest of bins_per_octave steps is counted in bins of a hundredth of a step. The
// lower edge of the fullest bin is the result, between -0.5 and 0.5; 0 where there is no peak. (The spectrum of a single click
// is flat: what peaks it has are rounding's, and the result is as arbitrary as librosa's.)
#pragma once

#include <cstdint>
#include <vector>

namespace timbre::features {

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
  double rate_per_bin_;  // Hz
  std::int64_t bins_, low_, high_;
  int bins_per_octave_;
  std::vector<Peak> peaks_;
  std::vector<double> heights_;
};

}  // namespace timbre::features
