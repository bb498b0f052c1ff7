// Short-time Fourier transforms of a batch of segments, a block of frames at a time (src/features/stft.hpp
// has the formula). A kernel windows the frames, and one batched transform takes them.
#pragma once

#include <algorithm>
#include <cstdint>

#include "cuda/features/batched_fft.hpp"
#include "cuda/support/memory.hpp"
#include "features/options.hpp"

namespace timbre::cuda {

enum class PadMode { constant, edge, reflect };

/// How segments [count, samples] are cut into frames.
struct FrameLayout {
  std::int64_t samples;  // of a segment
  std::int64_t frames;   // of a segment
  std::int64_t size;     // n_fft
  std::int64_t hop;
  std::int64_t padding;  // before the first sample
  PadMode mode;
};

/// Frames [first, first + count) of the segments, frame g being frame g % frames of segment g / frames. out
/// [count, size]
void window_frames(cudaStream_t stream, const float* segments, const float* window, const FrameLayout& layout,
                   std::int64_t first, std::int64_t count, float* out);
void window_frames(cudaStream_t stream, const float* segments, const double* window,
                   const FrameLayout& layout, std::int64_t first, std::int64_t count, double* out);

/// The layout of frames of `size` samples, and what lies beyond the ends as pad_mode says.
FrameLayout frame_layout(const features::FeatureOptions& options, std::int64_t samples, std::int64_t size,
                         PadMode mode);
PadMode pad_mode_of(const features::FeatureOptions& options);

/// In float32, or in float64 for what weighs small magnitudes beside large ones.
template <class Real>
class BlockStftOf {
 public:
  /// A value of the spectrum.
  using Pair = typename BatchedFft<Real>::Pair;

  /// Room for blocks of `block` frames; work is enqueued on `stream` alone. Throws Error.
  BlockStftOf(const features::FeatureOptions& options, std::int64_t segment_samples, std::int64_t block,
              cudaStream_t stream);

  std::int64_t frames() const { return layout_.frames; }
  std::int64_t bins() const { return bins_; }

  /// Enqueues the transforms of segments [count, samples]; after each block, use(first, n, spectrum) enqueues
  /// what reads spectrum [n, bins]: frames [first, first + n) of the batch, n <= block.
  template <class Use>
  void each_block(const float* segments, std::int64_t count, Use use) {
    const auto total = count * layout_.frames;
    for (std::int64_t first = 0; first < total; first += block_) {
      const auto n = std::min(block_, total - first);
      transform_block(segments, first, n);
      use(first, n, static_cast<const Pair*>(spectrum_.data()));
    }
  }

  /// Bytes on the device per frame of a block, without cuFFT's work area.
  static std::size_t bytes_per_frame(const features::FeatureOptions& options);

 private:
  void transform_block(const float* segments, std::int64_t first, std::int64_t count);

  FrameLayout layout_;
  std::int64_t bins_, block_;
  cudaStream_t stream_;
  DeviceArray<Real> window_;    // [n_fft]
  DeviceArray<Real> frames_;    // [block, n_fft]
  DeviceArray<Pair> spectrum_;  // [block, bins]
  BatchedFft<Real> fft_;
};
extern template class BlockStftOf<float>;
extern template class BlockStftOf<double>;

}  // namespace timbre::cuda
