// mel: mel spectrogram, [T, n_mels]. As librosa.feature.melspectrogram(y), transposed.
#include "features/engine.hpp"
#include "features/mel_spectrogram.hpp"

namespace timbre::features {
namespace {

class Mel final : public FeatureEngine {
 public:
  Mel(const FeatureOptions& options, std::int64_t samples) : samples_(samples), mel_(options, samples) {}

  Shape shape() const override { return {mel_.frames(), mel_.bands()}; }

  void compute(const float* segments, std::int64_t count, float* out) override {
    for (std::int64_t i = 0; i < count; ++i) mel_.compute(segments + i * samples_, out + i * shape().size());
  }

 private:
  std::int64_t samples_;
  MelSpectrogram mel_;
};

const Registration<FeatureType> registration{
    "mel",
    {.summary = "the spectrogram summed into n_mels bands between fmin and fmax",
     .width = [](const FeatureOptions& o) -> std::int64_t { return o.n_mels; },
     .make_cpu = [](const FeatureOptions& o, std::int64_t samples) -> std::unique_ptr<FeatureEngine> {
       return std::make_unique<Mel>(o, samples);
     },
     .note = note_on_empty_bands}};

}  // namespace
}  // namespace timbre::features
