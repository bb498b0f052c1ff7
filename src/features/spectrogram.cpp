// spectrogram: |STFT|^power, [T, bins]; bins = 1 + n_fft / 2. As librosa's np.abs(stft(y)) ** power, transposed.
#include <algorithm>

#include "features/engine.hpp"
#include "features/stft.hpp"

namespace timbre::features {
namespace {

class Spectrogram final : public FeatureEngine {
 public:
  Spectrogram(const FeatureOptions& options, std::int64_t samples)
      : samples_(samples), stft_(options, samples) {}

  Shape shape() const override { return {stft_.frames(), stft_.bins()}; }

  void compute(const float* segments, std::int64_t count, float* out) override {
    for (std::int64_t i = 0; i < count; ++i, segments += samples_) {
      for (std::int64_t first = 0; first < stft_.frames(); first += stft_.block_frames()) {
        const auto n = std::min(stft_.block_frames(), stft_.frames() - first);
        const float* rows = stft_.rows(segments, first, n);
        for (std::int64_t t = 0; t < n; ++t, rows += stft_.row_stride())
          out = std::copy_n(rows, stft_.bins(), out);
      }
    }
  }

 private:
  std::int64_t samples_;
  Stft stft_;
};

const Registration<FeatureType> registration{
    "spectrogram",
    {.summary = "magnitude of the short-time Fourier transform, to the power `power`: 1 + n_fft / 2 values "
                "of each frame",
     .width = [](const FeatureOptions& o) -> std::int64_t { return o.bins(); },
     .make_cpu = [](const FeatureOptions& o, std::int64_t samples) -> std::unique_ptr<FeatureEngine> {
       return std::make_unique<Spectrogram>(o, samples);
     }}};

}  // namespace
}  // namespace timbre::features
