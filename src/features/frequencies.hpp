// What the features of a magnitude spectrum share: its frequencies, its weighted mean, and how a row becomes a number.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "core/simd.hpp"
#include "features/cpu_feature.hpp"
#include "features/norms.hpp"
#include "features/sums.hpp"

namespace timbre::features {

/// Of each bin, in Hz: librosa.fft_frequencies, to the last bit.
inline std::vector<double> bin_frequencies(int sample_rate, int n_fft) {
  const double distance = 1.0 / (n_fft * (1.0 / sample_rate));
  std::vector<double> out;
  for (int k = 0; k <= n_fft / 2; ++k) out.push_back(k * distance);
  return out;
}

/// The sum of a row of magnitudes, as librosa divides by it.
inline double norm_of(const double* row, std::int64_t bins) {
  const double sum = vectorised([&] { return sum_of(bins, [&](std::int64_t k) { return row[k]; }); });
  return sum < smallest_norm ? 1.0 : sum;
}

/// sum over k of f_k row[k] / norm
inline double centroid_of(const double* row, const std::vector<double>& frequencies, double norm) {
  const double* f = frequencies.data();
  const auto bins = std::ssize(frequencies);
  return vectorised([&] { return sum_of(bins, [&](std::int64_t k) { return f[k] * row[k]; }); }) / norm;
}

/// A kind with one value a frame, which is a function of its spectrum: value(row) of magnitudes [bins] to `power`.
template <class Value>
class RowFeature final : public CpuFeature {
 public:
  RowFeature(double power, Value value) : power_(power), value_(std::move(value)) {}
  void take(Spectra& spectra, std::int64_t first, std::int64_t count, float* out) override {
    const double* row = spectra.exact_rows(power_);
    for (std::int64_t t = 0; t < count; ++t, row += spectra.row_stride())
      out[first + t] = static_cast<float>(value_(row));
  }

 private:
  double power_;
  Value value_;
};

template <class Value>
std::unique_ptr<CpuFeature> row_feature(double power, Value value) {
  return std::make_unique<RowFeature<Value>>(power, std::move(value));
}

}  // namespace timbre::features
