// log_mel: mel spectrogram in decibels, [T, n_mels].
// As librosa.power_to_db(melspectrogram(y), ref=1.0, amin=1e-10, top_db=top_db), transposed; the maximum that
// top_db counts from is the segment's own.
#include "features/decibel.hpp"
#include "features/engine.hpp"
#include "features/mel_spectrogram.hpp"

namespace timbre::features {
namespace {

class LogMel final : public FeatureEngine {
 public:
  LogMel(const FeatureOptions& options, std::int64_t samples)
      : samples_(samples), top_db_(options.top_db), mel_(options, samples) {}

  Shape shape() const override { return {mel_.frames(), mel_.bands()}; }

  void compute(const float* segments, std::int64_t count, float* out) override {
    const auto size = shape().size();
    for (std::int64_t i = 0; i < count; ++i, segments += samples_, out += size) {
      mel_.compute(segments, out);
      power_to_db(out, size, top_db_);
    }
  }

 private:
  std::int64_t samples_;
  std::optional<double> top_db_;
  MelSpectrogram mel_;
};

const Registration<FeatureType> registration{
    "log_mel",
    {.summary = "mel in decibels, at most top_db below the segment's maximum",
     .width = [](const FeatureOptions& o) -> std::int64_t { return o.n_mels; },
     .make_cpu = [](const FeatureOptions& o, std::int64_t samples) -> std::unique_ptr<FeatureEngine> {
       return std::make_unique<LogMel>(o, samples);
     },
     .note = note_on_empty_bands}};

}  // namespace
}  // namespace timbre::features
