// spectral_centroid: the mean frequency of a frame, weighted by magnitude, [T, 1]. A warp takes a frame.
#include "cuda/features/centroid.cuh"
#include "cuda/features/cuda_feature.hpp"

namespace timbre::cuda {

__global__ void __launch_bounds__(128)
    centroid_kernel(const double2* __restrict__ spectrum, std::int64_t frames, int bins, double distance,
                    float* __restrict__ out) {
  const auto frame = frame_of_warp();
  if (frame >= frames) return;
  const auto c = centroid_of(spectrum + frame * bins, bins, distance);
  if (lane_of_thread() == 0) out[frame] = static_cast<float>(c.frequency);
}

/// spectrum [frames, bins] -> out [frames]
inline void centroids(cudaStream_t stream, const double2* spectrum, std::int64_t frames, int bins,
                      double distance, float* out) {
  launch_frames(centroid_kernel, frames, stream, spectrum, frames, bins, distance, out);
}

// ---- The host's half

class SpectralCentroid final : public CudaFeature {
 public:
  explicit SpectralCentroid(const features::FeatureOptions& o)
      : bins_(o.bins()), distance_(bin_distance(o.sample_rate, o.n_fft)) {}
  void take_exact(cudaStream_t stream, const double2* spectrum, std::int64_t first, std::int64_t count,
                  float* out) override {
    centroids(stream, spectrum, count, bins_, distance_, out + first);
  }

 private:
  int bins_;
  double distance_;
};

inline const Registration<CudaFeatureType> spectral_centroid{
    "spectral_centroid",
    {.make = [](const features::FeatureOptions& o, std::int64_t, std::int64_t, cudaStream_t)
         -> std::unique_ptr<CudaFeature> { return std::make_unique<SpectralCentroid>(o); }}};

}  // namespace timbre::cuda
