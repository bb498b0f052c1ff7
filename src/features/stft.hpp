// Magnitudes of the short-time Fourier transform, a block of frames at a time.
//
//   X[t, k] = sum over n of window[n] x[t hop + n - pad] e^(-2 pi i k n / n_fft),  pad = n_fft / 2 if centred
//   rows[t, k] = |X[t, k]|^power,  0 <= k < bins = 1 + n_fft / 2
//
// A block is small enough to stay in a core's own cache between window, FFT and what the caller does with it.
// Single precision: the error is about 1e-7 of a frame's largest magnitude (FFTW's, with ESTIMATE, so that the
// same plan is made every time). Padding follows numpy.pad of the whole segment; librosa pads head and tail
// apart, which differs only for reflect and edge with hop_length > n_fft / 2.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "features/aligned.hpp"
#include "features/options.hpp"

namespace timbre::features {

class Stft {
 public:
  Stft(const FeatureOptions& options, std::int64_t segment_samples);
  ~Stft();
  Stft(Stft&&) noexcept;

  std::int64_t frames() const { return frames_; }
  std::int64_t block_frames() const { return block_; }
  std::int64_t bins() const { return bins_; }
  /// Floats from row to row; what lies behind the bins is zero, at least eight values of it.
  std::int64_t row_stride() const { return row_stride_; }

  /// Frames [first, first + count) of a segment, count <= block_frames(), as rows [count, row_stride].
  /// Valid until the next call.
  const float* rows(const float* segment, std::int64_t first, std::int64_t count);

 private:
  struct Plan;
  void fill_frame(const float* segment, std::int64_t begin, float* frame) const;

  std::int64_t samples_, frames_, block_, bins_, row_stride_;
  std::int64_t size_, hop_, padding_;
  std::int64_t frame_stride_, spectrum_stride_;  // floats
  double power_;
  enum class Padding { zeros, edge, reflect } pad_mode_;
  AlignedFloats window_;  // [n_fft]
  AlignedFloats frames_in_, spectrum_,
      rows_;  // [block, frame_stride], [block, spectrum_stride], [block, row_stride]
  std::unique_ptr<Plan> whole_, rest_;  // block frames, and the last, smaller block
};

}  // namespace timbre::features
