// onset_strength: an onset envelope, [T, 1].
#include "cuda/features/cuda_feature.hpp"
#include "cuda/features/onset_envelope.hpp"
#include "cuda/support/elementwise.cuh"

namespace timbre::cuda {

struct RoundToFloat {
  const double* from;
  float* to;
  template <class Index>
  __device__ void operator()(Index i) const {
    to[i] = static_cast<float>(from[i]);
  }
};
/// from [count] -> to [count]
inline void round_to_float(cudaStream_t stream, const double* from, std::int64_t count, float* to) {
  for_each_element(stream, count, RoundToFloat{from, to});
}

// ---- The host's half

class OnsetStrength final : public CudaFeature {
 public:
  OnsetStrength(const features::FeatureOptions& o, std::int64_t frames, std::int64_t segments,
                cudaStream_t stream)
      : frames_(frames), envelope_(o, o.own_as<features::OnsetStrengthOptions>(), frames, segments, stream) {}
  void take_exact(cudaStream_t stream, const double2* spectrum, std::int64_t first, std::int64_t count,
                  float*) override {
    envelope_.take(stream, spectrum, first, count);
  }
  void finish(cudaStream_t stream, std::int64_t segments, float* out) override {
    round_to_float(stream, envelope_.finish(stream, segments), segments * frames_, out);
  }

 private:
  std::int64_t frames_;
  CudaOnsetEnvelope envelope_;
};

inline const Registration<CudaFeatureType> onset_strength{
    "onset_strength",
    {.make = [](const features::FeatureOptions& o, std::int64_t frames, std::int64_t segments,
                cudaStream_t stream) -> std::unique_ptr<CudaFeature> {
       return std::make_unique<OnsetStrength>(o, frames, segments, stream);
     },
     .work_floats = CudaOnsetEnvelope::work_floats}};

}  // namespace timbre::cuda
