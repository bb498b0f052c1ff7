// spectral_flatness: how much a frame is like noise rather than like tones, [T, 1]. A warp takes a frame.
#include "cuda/features/cuda_feature.hpp"
#include "cuda/features/frames.cuh"
#include "features/spectral_flatness.hpp"

namespace timbre::cuda {

__global__ void __launch_bounds__(128)
    flatness_kernel(const double2* __restrict__ spectrum, std::int64_t frames, int bins, double power,
                    double amin, float* __restrict__ out) {
  const auto frame = frame_of_warp();
  if (frame >= frames) return;
  const double2* row = spectrum + frame * bins;
  double logarithms = 0.0, sum = 0.0;
  for (int k = lane_of_thread(); k < bins; k += warp_size) {
    const double s = fmax(magnitude(row[k], power), amin);
    logarithms += log(s);
    sum += s;
  }
  logarithms = warp_sum(logarithms), sum = warp_sum(sum);
  if (lane_of_thread() == 0) out[frame] = static_cast<float>(exp(logarithms / bins) / (sum / bins));
}

/// spectrum [frames, bins] -> out [frames]
inline void flatnesses(cudaStream_t stream, const double2* spectrum, std::int64_t frames, int bins,
                       double power, double amin, float* out) {
  launch_frames(flatness_kernel, frames, stream, spectrum, frames, bins, power, amin, out);
}

// ---- The host's half

class SpectralFlatness final : public CudaFeature {
 public:
  explicit SpectralFlatness(const features::FeatureOptions& o)
      : bins_(o.bins()), own_(o.own_as<features::SpectralFlatnessOptions>()) {}
  void take_exact(cudaStream_t stream, const double2* spectrum, std::int64_t first, std::int64_t count,
                  float* out) override {
    flatnesses(stream, spectrum, count, bins_, own_.power, own_.amin, out + first);
  }

 private:
  int bins_;
  features::SpectralFlatnessOptions own_;
};

inline const Registration<CudaFeatureType> spectral_flatness{
    "spectral_flatness",
    {.make = [](const features::FeatureOptions& o, std::int64_t, std::int64_t, cudaStream_t)
         -> std::unique_ptr<CudaFeature> { return std::make_unique<SpectralFlatness>(o); }}};

}  // namespace timbre::cuda
