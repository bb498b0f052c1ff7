// How much louder each frame's mel bands are than an earlier frame's (features/onset_strength.hpp has the formula), as
// onset_strength and tempo have it (onset_envelope.cu). Pointers are to device memory.
#pragma once

#include "cuda/features/mel_bands.hpp"
#include "features/onset_strength.hpp"

namespace timbre::cuda {

/// bands [segments, frames, bands] of power. lag, shift: frames; the first `shift` of a segment's envelope are 0.
struct OnsetLayout {
  std::int64_t frames, bands, lag, shift;
  int max_size;
  bool median;
};

/// bands [segments, T, n] and maxima [segments] -> differences [segments, T, n], at least 0. Those of frame t belong to the
/// envelope at t; the first `shift` frames have 0.
void onset_differences(cudaStream_t stream, const float* bands, const float* maxima, std::int64_t segments,
                       const OnsetLayout& layout, double* differences);
/// -> envelope [segments, T]
void onset_envelope(cudaStream_t stream, const double* differences, std::int64_t segments,
                    const OnsetLayout& layout, double* envelope);
/// In place: y[t] = e[t] - e[t - 1] + 0.99 y[t - 1].
void detrend(cudaStream_t stream, double* envelope, std::int64_t segments, std::int64_t frames);

class CudaOnsetEnvelope {
 public:
  CudaOnsetEnvelope(const features::FeatureOptions& options, const features::OnsetStrengthOptions& own,
                    std::int64_t frames, std::int64_t segments, cudaStream_t stream);
  /// spectrum [count, bins]: frames [first, first + count) of the batch.
  void take(cudaStream_t stream, const double2* spectrum, std::int64_t first, std::int64_t count) const;
  /// After the last frame of a batch: [segments, T].
  const double* finish(cudaStream_t stream, std::int64_t segments) const;

  /// Floats of work areas per segment.
  static std::int64_t work_floats(const features::FeatureOptions& options, std::int64_t frames);

 private:
  CudaMelBands mel_;
  OnsetLayout layout_;
  bool detrended_;
  DeviceArray<float> bands_, maxima_;           // [segments, T, n_mels], [segments]
  DeviceArray<double> differences_, envelope_;  // [segments, T, n_mels], [segments, T]
};

}  // namespace timbre::cuda
