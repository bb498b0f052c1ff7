// mfcc: mel-frequency cepstral coefficients, [T, n_mfcc]. As librosa.feature.mfcc(y), transposed.
//
//   y[t, j] = s_j sum over m of d[t, m] cos(pi j (2 m + 1) / (2 n_mels))     DCT-II, orthonormal
//   s_0 = sqrt(1 / n_mels), s_j = sqrt(2 / n_mels); d: log_mel, [T, n_mels]
#include <algorithm>
#include <cmath>
#include <numbers>

#include "core/error.hpp"
#include "core/parallel.hpp"
#include "core/simd.hpp"
#include "features/cepstrum.hpp"
#include "features/decibel.hpp"
#include "features/engine.hpp"
#include "features/mel_spectrogram.hpp"

namespace timbre::features {

std::vector<float> cepstral_cosines(std::int64_t bands, std::int64_t coefficients) {
  std::vector<float> matrix;
  const double scale = std::sqrt(2.0 / static_cast<double>(bands));
  for (std::int64_t m = 0; m < bands; ++m) {
    for (std::int64_t j = 1; j < coefficients; ++j) {
      const auto angle =
          std::numbers::pi * static_cast<double>(j * (2 * m + 1)) / static_cast<double>(2 * bands);
      matrix.push_back(static_cast<float>(scale * std::cos(angle)));
    }
  }
  return matrix;
}

namespace {

/// Takes from every row [bands] its mean and leaves sum * scale in out[t * stride]. The mean concerns the first
/// coefficient alone; a product of large, nearly equal numbers would lose digits that the others need.
void take_means(float* rows, std::int64_t count, std::int64_t bands, double scale, float* out,
                std::int64_t stride) {
  vectorised([&] {
    constexpr std::int64_t lanes = 8;
    for (std::int64_t t = 0; t < count; ++t, rows += bands) {
      double partial[lanes] = {}, sum = 0;
      std::int64_t i = 0;
      for (; i + lanes <= bands; i += lanes)
        for (std::int64_t j = 0; j < lanes; ++j) partial[j] += rows[i + j];
      for (; i < bands; ++i) sum += rows[i];
      for (const double p : partial) sum += p;
      const auto mean = static_cast<float>(sum / static_cast<double>(bands));
      for (i = 0; i < bands; ++i) rows[i] -= mean;
      out[t * stride] = static_cast<float>(sum * scale);
    }
  });
}

constexpr std::int64_t lanes = 16;  // coefficients that are summed side by side

/// out[t * stride + j] = sum over m of rows[t, m] dct[m, j], j < width; dct: [bands, padded], padded a multiple of
/// the lanes. A general product of so narrow a matrix spends most of its time on packing. Sums run over m in order.
void transform(const float* rows, std::int64_t count, std::int64_t bands, const float* dct,
               std::int64_t width, std::int64_t padded, float* out, std::int64_t stride) {
  vectorised([&] {
    constexpr std::int64_t together = 4;  // frames, so that sums do not wait for each other
    for (std::int64_t t = 0; t < count; t += together) {
      const float* row[together];
      for (std::int64_t i = 0; i < together; ++i) row[i] = rows + std::min(t + i, count - 1) * bands;
      for (std::int64_t j = 0; j < width; j += lanes) {
        float sum[together][lanes] = {};
        for (std::int64_t m = 0; m < bands; ++m)
          for (std::int64_t i = 0; i < together; ++i)
            for (std::int64_t k = 0; k < lanes; ++k) sum[i][k] += row[i][m] * dct[m * padded + j + k];
        for (std::int64_t i = 0; i < std::min(together, count - t); ++i)
          for (std::int64_t k = 0; k < std::min(lanes, width - j); ++k)
            out[(t + i) * stride + j + k] = sum[i][k];
      }
    }
  });
}

class Mfcc final : public CpuFeature {
 public:
  Mfcc(const FeatureOptions& options, std::int64_t samples)
      : coefficients_(options.n_mfcc), top_db_(options.top_db), mel_(options, samples) {
    const auto bands = mel_.bands();
    decibels_.resize(static_cast<std::size_t>(mel_.size()));
    const auto cosines = cepstral_cosines(bands, coefficients_);  // padded with zeros to whole vectors
    const auto columns = coefficients_ - 1;
    padded_ = piece_count(columns, lanes) * lanes;
    dct_.resize(static_cast<std::size_t>(bands * padded_));
    for (std::int64_t m = 0; m < bands; ++m)
      std::copy_n(cosines.begin() + m * columns, columns, dct_.begin() + m * padded_);
  }

  void take(Spectra& spectra, std::int64_t first, std::int64_t count, float*) override {
    mel_.take(spectra, first, count, decibels_.data());
  }

  void finish(float* out) override {
    const auto frames = mel_.frames(), bands = mel_.bands();
    power_to_db(decibels_.data(), mel_.size(), top_db_);
    take_means(decibels_.data(), frames, bands, std::sqrt(1.0 / static_cast<double>(bands)), out,
               coefficients_);
    transform(decibels_.data(), frames, bands, dct_.data(), coefficients_ - 1, padded_, out + 1,
              coefficients_);
  }

 private:
  std::int64_t coefficients_, padded_;
  std::optional<double> top_db_;
  MelSpectrogram mel_;
  AlignedFloats decibels_;  // [T, n_mels]
  AlignedFloats dct_;       // [n_mels, padded]: without the first coefficient, zeros behind the last
};

std::string check(const FeatureOptions& o) {
  if (o.n_mfcc <= o.n_mels) return "";
  return fmt::format("n_mfcc {} must not exceed n_mels {}", o.n_mfcc, o.n_mels);
}

std::vector<std::string> keys() {
  auto out = mel_keys();
  out.insert(out.end(), {"n_mfcc", "top_db"});
  return out;
}

const Registration<FeatureType> registration{
    "mfcc",
    {.summary = "mel-frequency cepstral coefficients, n_mfcc of each frame: the cosine transform of log_mel",
     .keys = keys(),
     .width = [](const FeatureOptions& o) -> std::int64_t { return o.n_mfcc; },
     .check = check,
     .make_cpu = [](const FeatureOptions& o, std::int64_t samples) -> std::unique_ptr<CpuFeature> {
       return std::make_unique<Mfcc>(o, samples);
     },
     .note = note_on_empty_bands,
     .is_first = true}};

}  // namespace
}  // namespace timbre::features
