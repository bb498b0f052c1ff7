// Magnitudes of the short-time Fourier transform, a block of frames at a time.
//
//   X[t, k] = sum over n of window[n] x[t hop + n - pad] e^(-2 pi i k n / n_fft),  pad = n_fft / 2 if centred
//   rows[t, k] = |X[t, k]|^power,  0 <= k < bins = 1 + n_fft / 2
//
// A block is small enough to stay in a core's own cache between window, FFT and what the caller does with it.
// In float32 the error is about 1e-7 of a frame's largest magnitude (FFTW's, with ESTIMATE, so that the same plan is made
// every time). What weighs the small magnitudes of a frame beside its largest one asks for float64. Padding follows
// numpy.pad of the whole segment; librosa pads head and tail apart, which differs only for reflect and edge with
// hop_length > n_fft / 2.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "features/aligned.hpp"
#include "features/options.hpp"
#include "features/padding.hpp"

namespace timbre::features {

template <class Real>
class StftOf {
 public:
  StftOf(const FeatureOptions& options, std::int64_t segment_samples);
  ~StftOf();
  StftOf(StftOf&&) noexcept;

  std::int64_t frames() const { return frames_; }
  std::int64_t block_frames() const { return block_; }
  std::int64_t bins() const { return bins_; }
  /// Values from row to row; what lies behind the bins is zero, at least eight values of it.
  std::int64_t row_stride() const { return row_stride_; }

  /// Transforms frames [first, first + count) of a segment, count <= block_frames().
  void transform(const float* segment, std::int64_t first, std::int64_t count);
  /// |X|^power of the frames that were transformed last, as rows [count, row_stride]. Valid until the next transform; of
  /// each power computed once.
  const Real* rows(double power);
  /// Both, to the power of the options.
  const Real* rows(const float* segment, std::int64_t first, std::int64_t count) {
    transform(segment, first, count);
    return rows(power_);
  }

 private:
  struct Plan;
  struct Power {
    double exponent;
    bool done;
    Aligned<Real> rows;  // [block, row_stride]
  };
  void fill_frame(const float* segment, std::int64_t begin, Real* frame) const;

  std::int64_t samples_, frames_, block_, bins_, row_stride_;
  std::int64_t size_, hop_, padding_;
  std::int64_t frame_stride_, spectrum_stride_;  // values
  std::int64_t count_ = 0;                       // of frames transformed last
  double power_;
  Padding pad_mode_;
  Aligned<Real> window_;                // [n_fft]
  Aligned<Real> frames_in_, spectrum_;  // [block, frame_stride], [block, spectrum_stride]
  std::vector<Power> powers_;
  std::unique_ptr<Plan> whole_, rest_;  // block frames, and the last, smaller block
};
extern template class StftOf<float>;
extern template class StftOf<double>;

using Stft = StftOf<float>;

}  // namespace timbre::features
