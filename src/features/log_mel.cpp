// log_mel: mel spectrogram in decibels, [T, n_mels].
// As librosa.power_to_db(melspectrogram(y), ref=1.0, amin=1e-10, top_db=top_db), transposed; the maximum that
// top_db counts from is the segment's own.
#include "features/decibel.hpp"
#include "features/engine.hpp"
#include "features/mel_spectrogram.hpp"

namespace timbre::features {
namespace {

class LogMel final : public CpuFeature {
 public:
  LogMel(const FeatureOptions& options, std::int64_t samples)
      : top_db_(options.top_db), mel_(options, samples) {}

  void take(Spectra& spectra, std::int64_t first, std::int64_t count, float* out) override {
    mel_.take(spectra, first, count, out);
  }
  void finish(float* out) override { power_to_db(out, mel_.size(), top_db_); }

 private:
  std::optional<double> top_db_;
  MelSpectrogram mel_;
};

std::vector<std::string> keys() {
  auto out = mel_keys();
  out.push_back("top_db");
  return out;
}

const Registration<FeatureType> registration{
    "log_mel",
    {.summary = "mel in decibels, at most top_db below the segment's maximum",
     .keys = keys(),
     .width = [](const FeatureOptions& o) -> std::int64_t { return o.n_mels; },
     .make_cpu = [](const FeatureOptions& o, std::int64_t samples) -> std::unique_ptr<CpuFeature> {
       return std::make_unique<LogMel>(o, samples);
     },
     .note = note_on_empty_bands,
     .is_first = true}};

}  // namespace
}  // namespace timbre::features
