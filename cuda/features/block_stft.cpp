#include "features/block_stft.hpp"

#include <cstdio>

#include "features/engine.hpp"
#include "features/window.hpp"

namespace timbre::cuda {
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
  // The plan transforms whole blocks; rows behind the last frame are nobody's, but should not be chance.
  if (const auto rest = block_ - count; rest > 0) {
    const auto bytes = static_cast<std::size_t>(rest * layout_.size) * sizeof(float);
    TIMBRE_CUDA_CHECK(cudaMemsetAsync(frames_.data() + count * layout_.size, 0, bytes, stream_));
  }
  TIMBRE_FFT_CHECK(cufftExecR2C(plan_, frames_.data(), spectrum_.data()));
}

}  // namespace timbre::cuda
