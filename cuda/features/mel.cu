// mel: spectrogram summed into mel bands, [T, n_mels].
#include "cuda/features/cuda_feature.hpp"
#include "cuda/features/mel_bands.hpp"

namespace timbre::cuda {

// ---- The host's half

class Mel final : public CudaFeature {
 public:
  Mel(const features::FeatureOptions& o, cudaStream_t stream) : mel_(o, stream) {}
  void take(cudaStream_t stream, const float2* spectrum, std::int64_t first, std::int64_t count,
            float* out) override {
    mel_.enqueue(stream, spectrum, first, count, out);
  }

 private:
  CudaMelBands mel_;
};

inline const Registration<CudaFeatureType> mel{
    "mel",
    {.make = [](const features::FeatureOptions& o, std::int64_t, std::int64_t, cudaStream_t stream)
         -> std::unique_ptr<CudaFeature> { return std::make_unique<Mel>(o, stream); }}};

}  // namespace timbre::cuda
