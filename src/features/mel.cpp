// mel: mel spectrogram, [T, n_mels]. As librosa.feature.melspectrogram(y), transposed.
#include "features/engine.hpp"
#include "features/mel_spectrogram.hpp"

namespace timbre::features {
namespace {

class Mel final : public CpuFeature {
 public:
  Mel(const FeatureOptions& options, std::int64_t samples) : mel_(options, samples) {}

  void take(Spectra& spectra, std::int64_t first, std::int64_t count, float* out) override {
    mel_.take(spectra, first, count, out);
  }

 private:
  MelSpectrogram mel_;
};

const Registration<FeatureType> registration{
    "mel",
    {.summary = "the spectrogram summed into n_mels bands between fmin and fmax",
     .keys = mel_keys(),
     .width = [](const FeatureOptions& o) -> std::int64_t { return o.n_mels; },
     .make_cpu = [](const FeatureOptions& o, std::int64_t samples) -> std::unique_ptr<CpuFeature> {
       return std::make_unique<Mel>(o, samples);
     },
     .note = note_on_empty_bands,
     .is_first = true}};

}  // namespace
}  // namespace timbre::features
