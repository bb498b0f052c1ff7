// spectral_rolloff: the frequency below which most of a frame's magnitude lies, [T, 1]. A warp takes a frame: it adds up 32
// bins at a time, once for the sum of all and once to find where the share is reached.
#include "cuda/features/centroid.cuh"
#include "cuda/features/cuda_feature.hpp"
#include "features/spectral_rolloff.hpp"

namespace timbre::cuda {

/// The magnitudes of `lane` bins and of those before them in the round that begins at bin `base`.
__device__ inline double sum_up_to(const double2* row, int base, int bins) {
  const int lane = lane_of_thread(), k = base + lane;
  double sum = k < bins ? magnitude(row[k], 1.0) : 0.0;
  for (int distance = 1; distance < warp_size; distance *= 2) {
    const double before = __shfl_up_sync(whole_warp, sum, static_cast<unsigned>(distance));
    if (lane >= distance) sum += before;
  }
  return sum;
}

__global__ void __launch_bounds__(128)
    rolloff_kernel(const double2* __restrict__ spectrum, std::int64_t frames, int bins, double distance,
                   double share, float* __restrict__ out) {
  const auto frame = frame_of_warp();
  if (frame >= frames) return;
  const double2* row = spectrum + frame * bins;
  double total = 0.0;
  for (int base = 0; base < bins; base += warp_size)
    total += __shfl_sync(whole_warp, sum_up_to(row, base, bins), warp_size - 1);
  const double threshold = share * total;
  double before = 0.0;
  for (int base = 0; base < bins; base += warp_size) {
    const double sum = sum_up_to(row, base, bins);
    const unsigned reached = __ballot_sync(whole_warp, before + sum >= threshold);
    if (reached != 0) {
      int first = 0;
      while (!(reached >> first & 1u)) ++first;
      if (lane_of_thread() == 0) out[frame] = static_cast<float>((base + first) * distance);
      return;
    }
    before += __shfl_sync(whole_warp, sum, warp_size - 1);
  }
}

/// spectrum [frames, bins] -> out [frames]
inline void rolloffs(cudaStream_t stream, const double2* spectrum, std::int64_t frames, int bins,
                     double distance, double share, float* out) {
  launch_frames(rolloff_kernel, frames, stream, spectrum, frames, bins, distance, share, out);
}

// ---- The host's half

class SpectralRolloff final : public CudaFeature {
 public:
  explicit SpectralRolloff(const features::FeatureOptions& o)
      : bins_(o.bins()),
        distance_(bin_distance(o.sample_rate, o.n_fft)),
        share_(o.own_as<features::SpectralRolloffOptions>().roll_percent) {}
  void take_exact(cudaStream_t stream, const double2* spectrum, std::int64_t first, std::int64_t count,
                  float* out) override {
    rolloffs(stream, spectrum, count, bins_, distance_, share_, out + first);
  }

 private:
  int bins_;
  double distance_, share_;
};

inline const Registration<CudaFeatureType> spectral_rolloff{
    "spectral_rolloff",
    {.make = [](const features::FeatureOptions& o, std::int64_t, std::int64_t, cudaStream_t)
         -> std::unique_ptr<CudaFeature> { return std::make_unique<SpectralRolloff>(o); }}};

}  // namespace timbre::cuda
