// rms: the root of the mean square of a frame's samples, [T, 1]. A warp takes a frame and sums in float64.
#include "cuda/features/cuda_feature.hpp"
#include "cuda/features/frames.cuh"
#include "features/rms.hpp"

namespace timbre::cuda {

__global__ void __launch_bounds__(128) rms_kernel(const float* __restrict__ segments, FrameLayout layout,
                                                  std::int64_t frames, float* __restrict__ out) {
  const auto frame = frame_of_warp();
  if (frame >= frames) return;
  const float* x = segments + frame / layout.frames * layout.samples;  // [samples]
  const auto begin = frame % layout.frames * layout.hop - layout.padding;
  double sum = 0.0;
  for (std::int64_t n = lane_of_thread(); n < layout.size; n += warp_size) {
    const double v = padded_sample(x, begin + n, layout.samples, layout.mode);
    sum += v * v;
  }
  sum = warp_sum(sum);
  if (lane_of_thread() == 0) out[frame] = static_cast<float>(sqrt(sum / static_cast<double>(layout.size)));
}

/// segments [count, samples] -> out [count, frames]
inline void rms(cudaStream_t stream, const float* segments, const FrameLayout& layout, std::int64_t count,
                float* out) {
  launch_frames(rms_kernel, count * layout.frames, stream, segments, layout, count * layout.frames, out);
}

// ---- The host's half

class Rms final : public CudaFeature {
 public:
  explicit Rms(const features::FeatureOptions& o) : options_(o) {}
  void read(cudaStream_t stream, const float* segments, std::int64_t samples, std::int64_t count,
            float* out) override {
    rms(stream, segments,
        frame_layout(options_, samples, options_.own_as<features::RmsOptions>().frame_length,
                     pad_mode_of(options_)),
        count, out);
  }

 private:
  features::FeatureOptions options_;
};

inline const Registration<CudaFeatureType> rms_type{
    "rms",
    {.make = [](const features::FeatureOptions& o, std::int64_t, std::int64_t,
                cudaStream_t) -> std::unique_ptr<CudaFeature> { return std::make_unique<Rms>(o); }}};

}  // namespace timbre::cuda
