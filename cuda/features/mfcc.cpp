// mfcc: mel-frequency cepstral coefficients, [T, n_mfcc].
#include "features/cepstrum.hpp"
#include "features/device_feature.hpp"
#include "features/mel_bands.hpp"

namespace timbre::cuda {
namespace {

class Mfcc final : public DeviceFeature {
 public:
  Mfcc(const features::FeatureOptions& o, std::int64_t frames, std::int64_t segments, cudaStream_t stream)
      : frames_(frames),
        coefficients_(o.n_mfcc),
        mel_(o, stream),
        decibels_(o.top_db, frames * mel_.bands(), segments),
        bands_(static_cast<std::size_t>(segments * frames * mel_.bands())),
        cosines_(upload<float>(features::cepstral_cosines(mel_.bands(), coefficients_), stream)) {}

  void take(cudaStream_t stream, const float2* spectrum, std::int64_t first, std::int64_t count,
            float*) override {
    mel_.enqueue(stream, spectrum, first, count, bands_.data());
  }
  void finish(cudaStream_t stream, std::int64_t segments, float* out) override {
    decibels_.enqueue(stream, segments, bands_.data());
    cepstrum(stream, bands_.data(), cosines_.data(), segments * frames_, static_cast<int>(mel_.bands()),
             coefficients_, out);
  }

 private:
  std::int64_t frames_;
  int coefficients_;
  DeviceMelBands mel_;
  DeviceDecibels decibels_;
  DeviceArray<float> bands_;    // [segments, T, n_mels]
  DeviceArray<float> cosines_;  // [n_mels, n_mfcc - 1]
};

const Registration<DeviceFeatureType> registration{
    "mfcc",
    {.make = [](const features::FeatureOptions& o, std::int64_t frames, std::int64_t segments,
                cudaStream_t stream) -> std::unique_ptr<DeviceFeature> {
       return std::make_unique<Mfcc>(o, frames, segments, stream);
     },
     .work_floats = [](const features::FeatureOptions& o,
                       std::int64_t frames) { return frames * o.n_mels; }}};

}  // namespace
}  // namespace timbre::cuda
