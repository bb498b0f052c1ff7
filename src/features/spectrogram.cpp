// spectrogram: |STFT|^power, [T, bins]; bins = 1 + n_fft / 2. As librosa's np.abs(stft(y)) ** power, transposed.
#include <algorithm>

#include "features/cpu_feature.hpp"
#include "features/engine.hpp"

namespace timbre::features {
namespace {

class Spectrogram final : public CpuFeature {
 public:
  explicit Spectrogram(const FeatureOptions& options) : power_(options.power) {}

  void take(Spectra& spectra, std::int64_t first, std::int64_t count, float* out) override {
    const float* rows = spectra.rows(power_);
    out += first * spectra.bins();
    for (std::int64_t t = 0; t < count; ++t, rows += spectra.row_stride())
      out = std::copy_n(rows, spectra.bins(), out);
  }

 private:
  double power_;
};

std::vector<std::string> keys() {
  auto out = transform_keys();
  out.push_back("power");
  return out;
}

const Registration<FeatureType> registration{
    "spectrogram",
    {.summary = "magnitude of the short-time Fourier transform, to the power `power`: 1 + n_fft / 2 values "
                "of each frame",
     .keys = keys(),
     .width = [](const FeatureOptions& o) -> std::int64_t { return o.bins(); },
     .make_cpu = [](const FeatureOptions& o, std::int64_t) -> std::unique_ptr<CpuFeature> {
       return std::make_unique<Spectrogram>(o);
     },
     .is_first = true}};

}  // namespace
}  // namespace timbre::features
