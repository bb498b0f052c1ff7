// Cuts segments into windowed frames, the input of a batched real FFT.
//
//   out[f, n] = window[n] x_s[t hop + n - padding],  (s, t) = divmod(first + f, frames)
//
// x_s continues beyond its segment by the padding: zeros, the nearest sample, or mirrored as often as needed.
// One block per frame; neighbouring threads touch neighbouring samples.
#include <vector>

#include "cuda/features/block_stft.hpp"
#include "cuda/features/frames.cuh"
#include "cuda/features/power.cuh"
#include "cuda/support/kernel.hpp"
#include "features/engine.hpp"
#include "features/window.hpp"

namespace timbre::cuda {

template <class Real>
__global__ void __launch_bounds__(256)
    window_frames_kernel(const float* __restrict__ segments, const Real* __restrict__ window,
                         FrameLayout layout, std::int64_t first, Real* __restrict__ out) {
  const std::int64_t frame = first + blockIdx.x;
  Real* row = out + static_cast<std::int64_t>(blockIdx.x) * layout.size;  // [size]
  const float* x = segments + frame / layout.frames * layout.samples;     // [samples]
  const std::int64_t begin = frame % layout.frames * layout.hop - layout.padding;
  for (std::int64_t n = threadIdx.x; n < layout.size; n += blockDim.x)
    row[n] = window[n] * Real(padded_sample(x, begin + n, layout.samples, layout.mode));
}

void window_frames(cudaStream_t stream, const float* segments, const float* window, const FrameLayout& layout,
                   std::int64_t first, std::int64_t count, float* out) {
  launch(window_frames_kernel<float>, dim3(static_cast<unsigned>(count)), dim3(feature_threads), 0, stream,
         segments, window, layout, first, out);
}
void window_frames(cudaStream_t stream, const float* segments, const double* window,
                   const FrameLayout& layout, std::int64_t first, std::int64_t count, double* out) {
  launch(window_frames_kernel<double>, dim3(static_cast<unsigned>(count)), dim3(feature_threads), 0, stream,
         segments, window, layout, first, out);
}

// ---- The host's half

PadMode pad_mode_of(const features::FeatureOptions& o) {
  return o.pad_mode == "reflect" ? PadMode::reflect
         : o.pad_mode == "edge"  ? PadMode::edge
                                 : PadMode::constant;
}

FrameLayout frame_layout(const features::FeatureOptions& o, std::int64_t samples, std::int64_t size,
                         PadMode mode) {
  return {.samples = samples,
          .frames = features::frame_count(o, samples),
          .size = size,
          .hop = o.hop_length,
          .padding = o.center ? size / 2 : 0,
          .mode = mode};
}

namespace {

template <class Real>
DeviceArray<Real> upload_window(const features::FeatureOptions& o, cudaStream_t stream) {
  std::vector<Real> window;
  for (const double v : features::window_values(o.window, o.window_samples(), o.n_fft))
    window.push_back(static_cast<Real>(v));
  return upload(std::span<const Real>(window), stream);
}

}  // namespace

template <class Real>
std::size_t BlockStftOf<Real>::bytes_per_frame(const features::FeatureOptions& o) {
  return static_cast<std::size_t>(o.n_fft) * sizeof(Real) + static_cast<std::size_t>(o.bins()) * sizeof(Pair);
}

template <class Real>
BlockStftOf<Real>::BlockStftOf(const features::FeatureOptions& options, std::int64_t segment_samples,
                               std::int64_t block, cudaStream_t stream)
    : layout_(frame_layout(options, segment_samples, options.n_fft, pad_mode_of(options))),
      bins_(options.bins()),
      block_(block),
      stream_(stream),
      window_(upload_window<Real>(options, stream)),
      frames_(static_cast<std::size_t>(block * layout_.size)),
      spectrum_(static_cast<std::size_t>(block * bins_)),
      fft_(options.n_fft, block, stream) {}

template <class Real>
void BlockStftOf<Real>::transform_block(const float* segments, std::int64_t first, std::int64_t count) {
  window_frames(stream_, segments, window_.data(), layout_, first, count, frames_.data());
  // The plan transforms whole blocks. No one reads the rows behind the last frame; zeros keep them the same each time.
  if (const auto rest = block_ - count; rest > 0) {
    const auto bytes = static_cast<std::size_t>(rest * layout_.size) * sizeof(Real);
    TIMBRE_CUDA_CHECK(cudaMemsetAsync(frames_.data() + count * layout_.size, 0, bytes, stream_));
  }
  fft_.enqueue(frames_.data(), spectrum_.data());
}

template class BlockStftOf<float>;
template class BlockStftOf<double>;

}  // namespace timbre::cuda
