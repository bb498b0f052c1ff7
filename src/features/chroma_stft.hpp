// chroma_stft: the power of each pitch class, [T, n_chroma]. As librosa.feature.chroma_stft(y=y).
//
//   raw[t, c] = sum over k of w[k, c] |X[t, k]|^2,  out[t] = raw[t] / norm(raw[t]), or raw[t] where that is next to 0
//   w[k, c]: librosa.filters.chroma: a bump around each octave of the class c, whose columns have the length 1, times a
//     wide bump around ctroct octaves above 27.5 Hz, octwidth octaves wide (null: none)
//
// tuning moves the classes by a share of a step; null estimates it for each segment (features/tuning.hpp). norm: inf, -inf,
// 0 (how many are not 0), a number p > 0, or none.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "config/forward.hpp"
#include "features/options.hpp"

namespace timbre::features {

/// What a frame is divided by: a p-norm, with p inf, -inf, 0 or above; nothing for none.
struct ChromaNorm {
  std::optional<double> p = std::numeric_limits<double>::infinity();
  static ChromaNorm from(const config::Reader& reader);
  static config::Type describe();
  config::Node dump() const;
};

struct ChromaStftOptions {
  static constexpr auto part = "chroma_stft";
  int n_chroma = 12;
  std::optional<double> tuning;
  ChromaNorm norm;
  double ctroct = 5.0;
  std::optional<double> octwidth = 2.0;
  bool base_c = true;
};
const config::Schema<ChromaStftOptions>& schema(config::of<ChromaStftOptions>);

/// w above for one tuning, computed in float64 and rounded to float32 as librosa does: [bins, n_chroma].
class ChromaFilters {
 public:
  explicit ChromaFilters(const FeatureOptions& options);
  const std::vector<float>& weights(double tuning);

 private:
  ChromaStftOptions o_;
  int sample_rate_, n_fft_;
  std::vector<double> octaves_;  // of each frequency but 0, above 440 / 16 Hz
  std::vector<float> weights_;
  std::optional<double> tuning_;  // of the weights
};

/// What a frame's values [n_chroma] are divided by.
double chroma_norm(const ChromaNorm& norm, const double* values, std::int64_t n_chroma);

}  // namespace timbre::features
