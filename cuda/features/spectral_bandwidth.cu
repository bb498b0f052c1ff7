// spectral_bandwidth: how far the frequencies of a frame lie from their mean, [T, 1]. A warp takes a frame: the mean first,
// then the deviations.
#include "cuda/features/centroid.cuh"
#include "cuda/features/cuda_feature.hpp"
#include "features/spectral_bandwidth.hpp"

namespace timbre::cuda {

__global__ void __launch_bounds__(128)
    bandwidth_kernel(const double2* __restrict__ spectrum, std::int64_t frames, int bins, double distance,
                     double p, bool norm, float* __restrict__ out) {
  const auto frame = frame_of_warp();
  if (frame >= frames) return;
  const double2* row = spectrum + frame * bins;
  const auto c = centroid_of(row, bins, distance);
  double sum = 0.0;
  for (int k = lane_of_thread(); k < bins; k += warp_size) {
    const double d = fabs(k * distance - c.frequency);
    sum += magnitude(row[k], 1.0) * (p == 2.0 ? d * d : pow(d, p));
  }
  sum = warp_sum(sum);
  if (norm) sum /= c.norm;
  if (lane_of_thread() == 0) out[frame] = static_cast<float>(p == 2.0 ? sqrt(sum) : pow(sum, 1.0 / p));
}

/// spectrum [frames, bins] -> out [frames]
inline void bandwidths(cudaStream_t stream, const double2* spectrum, std::int64_t frames, int bins,
                       double distance, double p, bool norm, float* out) {
  launch_frames(bandwidth_kernel, frames, stream, spectrum, frames, bins, distance, p, norm, out);
}

// ---- The host's half

class SpectralBandwidth final : public CudaFeature {
 public:
  explicit SpectralBandwidth(const features::FeatureOptions& o)
      : bins_(o.bins()),
        distance_(bin_distance(o.sample_rate, o.n_fft)),
        own_(o.own_as<features::SpectralBandwidthOptions>()) {}
  void take_exact(cudaStream_t stream, const double2* spectrum, std::int64_t first, std::int64_t count,
                  float* out) override {
    bandwidths(stream, spectrum, count, bins_, distance_, own_.p, own_.norm, out + first);
  }

 private:
  int bins_;
  double distance_;
  features::SpectralBandwidthOptions own_;
};

inline const Registration<CudaFeatureType> spectral_bandwidth{
    "spectral_bandwidth",
    {.make = [](const features::FeatureOptions& o, std::int64_t, std::int64_t, cudaStream_t)
         -> std::unique_ptr<CudaFeature> { return std::make_unique<SpectralBandwidth>(o); }}};

}  // namespace timbre::cuda
