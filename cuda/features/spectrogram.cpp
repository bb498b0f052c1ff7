// spectrogram: |STFT|^power, [T, bins].
#include "features/device_feature.hpp"
#include "features/kernels.hpp"

namespace timbre::cuda {
namespace {

class Spectrogram final : public DeviceFeature {
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

const Registration<DeviceFeatureType> registration{
    "spectrogram",
    {.make = [](const features::FeatureOptions& o, std::int64_t, std::int64_t, cudaStream_t)
         -> std::unique_ptr<DeviceFeature> { return std::make_unique<Spectrogram>(o); }}};

}  // namespace
}  // namespace timbre::cuda
