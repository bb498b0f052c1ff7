// Cuts segments into windowed frames, the input of a batched real FFT.
//
//   out[f, n] = window[n] x_s[t hop + n - padding],  (s, t) = divmod(first + f, frames)
//
// x_s continues beyond its segment by the padding: zeros, the nearest sample, or mirrored as often as needed.
// One block per frame; neighbouring threads touch neighbouring samples.
#include <cstdio>

#include "cuda/features/block_stft.hpp"
#include "cuda/features/power.cuh"
#include "cuda/support/device_lock.hpp"
#include "cuda/support/kernel.hpp"
#include "features/engine.hpp"
#include "features/window.hpp"

namespace timbre::cuda {

/// Position in [0, n) of a sample outside it, mirrored without repeating the ends.
__device__ inline std::int64_t reflected(std::int64_t i, std::int64_t n) {
  if (n == 1) return 0;
  const std::int64_t period = 2 * (n - 1);
  i %= period;
  if (i < 0) i += period;
  return i < n ? i : period - i;
}

__device__ inline float padded_sample(const float* x, std::int64_t i, std::int64_t n, PadMode mode) {
  if (i >= 0 && i < n) return x[i];
  if (mode == PadMode::constant) return 0.0f;
  if (mode == PadMode::edge) return x[i < 0 ? 0 : n - 1];
  return x[reflected(i, n)];
}

__global__ void __launch_bounds__(256)
    window_frames_kernel(const float* __restrict__ segments, const float* __restrict__ window,
                         FrameLayout layout, std::int64_t first, float* __restrict__ out) {
  const std::int64_t frame = first + blockIdx.x;
  float* row = out + static_cast<std::int64_t>(blockIdx.x) * layout.size;  // [size]
  const float* x = segments + frame / layout.frames * layout.samples;      // [samples]
  const std::int64_t begin = frame % layout.frames * layout.hop - layout.padding;
  for (std::int64_t n = threadIdx.x; n < layout.size; n += blockDim.x)
    row[n] = window[n] * padded_sample(x, begin + n, layout.samples, layout.mode);
}

void window_frames(cudaStream_t stream, const float* segments, const float* window, const FrameLayout& layout,
                   std::int64_t first, std::int64_t count, float* out) {
  launch(window_frames_kernel, dim3(static_cast<unsigned>(count)), dim3(feature_threads), 0, stream, segments,
         window, layout, first, out);
}

// ---- The host's half

namespace {

FrameLayout layout_of(const features::FeatureOptions& o, std::int64_t samples) {
  const auto mode = o.pad_mode == "reflect" ? PadMode::reflect
                    : o.pad_mode == "edge"  ? PadMode::edge
                                            : PadMode::constant;
  return {.samples = samples,
          .frames = features::frame_count(o, samples),
          .size = o.n_fft,
          .hop = o.hop_length,
          .padding = o.center ? o.n_fft / 2 : 0,
          .mode = mode};
}

}  // namespace

void FftPlanTraits::destroy(value_type plan) noexcept {
  const std::lock_guard guard(device_lock());
  if (const auto result = cufftDestroy(plan))
    std::fprintf(stderr, "cuFFT: cufftDestroy: result %d\n", static_cast<int>(result));
}

std::size_t BlockStft::bytes_per_frame(const features::FeatureOptions& o) {
  return static_cast<std::size_t>(o.n_fft) * sizeof(float) +
         static_cast<std::size_t>(o.bins()) * sizeof(float2);
}

BlockStft::BlockStft(const features::FeatureOptions& options, std::int64_t segment_samples,
                     std::int64_t block, cudaStream_t stream)
    : layout_(layout_of(options, segment_samples)),
      bins_(options.bins()),
      block_(block),
      stream_(stream),
      window_(upload<float>(features::make_window(options.window, options.window_samples(), options.n_fft),
                            stream)),
      frames_(static_cast<std::size_t>(block * layout_.size)),
      spectrum_(static_cast<std::size_t>(block * bins_)) {
  const std::lock_guard guard(device_lock());
  cufftHandle plan = FftPlanTraits::null;
  TIMBRE_FFT_CHECK(cufftCreate(&plan));
  plan_ = FftPlan(plan);
  TIMBRE_FFT_CHECK(cufftSetAutoAllocation(plan, 0));
  // Embedded sizes must be given for the distances to count; they equal the sizes of one transform.
  long long size = layout_.size, in_size = layout_.size, out_size = bins_;
  std::size_t work_bytes = 0;
  TIMBRE_FFT_CHECK(cufftMakePlanMany64(plan, 1, &size, &in_size, 1, layout_.size, &out_size, 1, bins_,
                                       CUFFT_R2C, block_, &work_bytes));
  work_ = DeviceArray<char>(work_bytes);
  if (work_bytes > 0) TIMBRE_FFT_CHECK(cufftSetWorkArea(plan, work_.data()));
  TIMBRE_FFT_CHECK(cufftSetStream(plan, stream_));
}

void BlockStft::transform(const float* segments, std::int64_t first, std::int64_t count) {
  window_frames(stream_, segments, window_.data(), layout_, first, count, frames_.data());
  // The plan transforms whole blocks. No one reads the rows behind the last frame; zeros keep them the same each time.
  if (const auto rest = block_ - count; rest > 0) {
    const auto bytes = static_cast<std::size_t>(rest * layout_.size) * sizeof(float);
    TIMBRE_CUDA_CHECK(cudaMemsetAsync(frames_.data() + count * layout_.size, 0, bytes, stream_));
  }
  TIMBRE_FFT_CHECK(cufftExecR2C(plan_, frames_.data(), spectrum_.data()));
}

}  // namespace timbre::cuda
