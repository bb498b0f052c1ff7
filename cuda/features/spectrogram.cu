// spectrogram: |STFT|^power, [T, bins]. Each element alone, in a grid-stride loop.
#include <algorithm>

#include "cuda/features/cuda_feature.hpp"
#include "cuda/features/power.cuh"

namespace timbre::cuda {

__global__ void __launch_bounds__(256)
    spectrum_power_kernel(const float2* __restrict__ spectrum, std::int64_t size, float exponent,
                          float* __restrict__ out) {
  const std::int64_t step = static_cast<std::int64_t>(gridDim.x) * blockDim.x;
  for (std::int64_t i = static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x; i < size; i += step)
    out[i] = power_of(spectrum[i], exponent);
}

/// |spectrum|^exponent, `size` values
inline void spectrum_power(cudaStream_t stream, const float2* spectrum, std::int64_t size, float exponent,
                           float* out) {
  const auto blocks = std::min<std::int64_t>(pieces(size, feature_threads * values_per_thread), 1 << 20);
  launch(spectrum_power_kernel, dim3(static_cast<unsigned>(blocks)), dim3(feature_threads), 0, stream,
         spectrum, size, exponent, out);
}

// ---- The host's half

class Spectrogram final : public CudaFeature {
 public:
  explicit Spectrogram(const features::FeatureOptions& o)
      : bins_(o.bins()), power_(static_cast<float>(o.power)) {}
  void take(cudaStream_t stream, const float2* spectrum, std::int64_t first, std::int64_t count,
            float* out) override {
    spectrum_power(stream, spectrum, count * bins_, power_, out + first * bins_);
  }

 private:
  std::int64_t bins_;
  float power_;
};

inline const Registration<CudaFeatureType> spectrogram{
    "spectrogram",
    {.make = [](const features::FeatureOptions& o, std::int64_t, std::int64_t,
                cudaStream_t) -> std::unique_ptr<CudaFeature> { return std::make_unique<Spectrogram>(o); }}};

}  // namespace timbre::cuda
