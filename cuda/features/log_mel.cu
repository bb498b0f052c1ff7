// log_mel: mel bands in decibels, [T, n_mels].
#include "cuda/features/cuda_feature.hpp"
#include "cuda/features/mel_bands.hpp"

namespace timbre::cuda {

// ---- The host's half

class LogMel final : public CudaFeature {
 public:
  LogMel(const features::FeatureOptions& o, std::int64_t frames, std::int64_t segments, cudaStream_t stream)
      : mel_(o, stream), decibels_(o.top_db, frames * mel_.bands(), segments) {}
  void take(cudaStream_t stream, const float2* spectrum, std::int64_t first, std::int64_t count,
            float* out) override {
    mel_.enqueue(stream, spectrum, first, count, out);
  }
  void finish(cudaStream_t stream, std::int64_t segments, float* out) override {
    decibels_.enqueue(stream, segments, out);
  }

 private:
  CudaMelBands mel_;
  CudaDecibels decibels_;
};

inline const Registration<CudaFeatureType> log_mel{
    "log_mel",
    {.make = [](const features::FeatureOptions& o, std::int64_t frames, std::int64_t segments,
                cudaStream_t stream) -> std::unique_ptr<CudaFeature> {
      return std::make_unique<LogMel>(o, frames, segments, stream);
    }}};

}  // namespace timbre::cuda
