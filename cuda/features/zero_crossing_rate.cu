// zero_crossing_rate: the share of a frame's samples whose sign is not that of the sample before, [T, 1]. A warp takes a
// frame.
#include "cuda/features/cuda_feature.hpp"
#include "cuda/features/frames.cuh"
#include "features/zero_crossing_rate.hpp"

namespace timbre::cuda {

__device__ inline int sign_of(double x, double threshold, bool zero_pos) {
  if (x > threshold) return 1;
  return x < -threshold ? -1 : zero_pos ? 1 : 0;
}

__global__ void __launch_bounds__(128)
    zero_crossings_kernel(const float* __restrict__ segments, FrameLayout layout, std::int64_t frames,
                          double threshold, bool zero_pos, bool pad, float* __restrict__ out) {
  const auto frame = frame_of_warp();
  if (frame >= frames) return;
  const float* x = segments + frame / layout.frames * layout.samples;  // [samples]
  const auto begin = frame % layout.frames * layout.hop - layout.padding;
  double crossings = 0.0;  // (counts of doubles are exact)
  for (std::int64_t n = 1 + lane_of_thread(); n < layout.size; n += warp_size) {
    const float before = padded_sample(x, begin + n - 1, layout.samples, layout.mode),
                here = padded_sample(x, begin + n, layout.samples, layout.mode);
    if (sign_of(before, threshold, zero_pos) != sign_of(here, threshold, zero_pos)) crossings += 1.0;
  }
  crossings = warp_sum(crossings) + (pad ? 1.0 : 0.0);
  if (lane_of_thread() == 0) out[frame] = static_cast<float>(crossings / static_cast<double>(layout.size));
}

/// segments [count, samples] -> out [count, frames]
inline void zero_crossings(cudaStream_t stream, const float* segments, const FrameLayout& layout,
                           std::int64_t count, double threshold, bool zero_pos, bool pad, float* out) {
  launch_frames(zero_crossings_kernel, count * layout.frames, stream, segments, layout, count * layout.frames,
                threshold, zero_pos, pad, out);
}

// ---- The host's half

class ZeroCrossingRate final : public CudaFeature {
 public:
  explicit ZeroCrossingRate(const features::FeatureOptions& o)
      : options_(o), own_(o.own_as<features::ZeroCrossingRateOptions>()) {}
  void read(cudaStream_t stream, const float* segments, std::int64_t samples, std::int64_t count,
            float* out) override {
    zero_crossings(stream, segments, frame_layout(options_, samples, own_.frame_length, PadMode::edge), count,
                   own_.threshold * own_.ref_magnitude.value_or(1.0), own_.zero_pos, own_.pad, out);
  }

 private:
  features::FeatureOptions options_;
  features::ZeroCrossingRateOptions own_;
};

inline const Registration<CudaFeatureType> zero_crossing_rate{
    "zero_crossing_rate",
    {.make = [](const features::FeatureOptions& o, std::int64_t, std::int64_t, cudaStream_t)
         -> std::unique_ptr<CudaFeature> { return std::make_unique<ZeroCrossingRate>(o); }}};

}  // namespace timbre::cuda
