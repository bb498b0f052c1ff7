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
#include "features/norms.hpp"
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

/// A bin among the classes, in steps above 440 / 16 Hz, and the width of its bump. The CUDA kernel computes with it, too.
struct ChromaBin {
  double at, width;
  /// octaves: of each frequency but 0, above 440 / 16 Hz, [n_fft - 1]. Bin 0 is put one and a half octaves below bin 1.
  TIMBRE_HD static double place(const double* octaves, std::int64_t k, double steps, double tuning) {
    const double first = steps * (octaves[k == 0 ? 0 : k - 1] - tuning / steps);
    return k == 0 ? first - 1.5 * steps : first;
  }
  TIMBRE_HD static ChromaBin of(const double* octaves, std::int64_t k, std::int64_t n_fft, double steps,
                                double tuning) {
    const double at = place(octaves, k, steps, tuning);
    const double width = k + 1 < n_fft ? place(octaves, k + 1, steps, tuning) - at : 1.0;
    return {at, width > 1.0 ? width : 1.0};
  }
  /// The bump at class c of `steps`.
  TIMBRE_HD double bump(std::int64_t c, double steps) const {
    const double half = nearbyint(steps / 2);
    double d = fmod(at - double(c) + half + 10 * steps, steps);
    if (d < 0) d += steps;
    d = 2 * (d - half) / width;
    return exp(-0.5 * d * d);
  }
  /// What the bumps of all classes, whose squares have the sum `square`, are multiplied by. octwidth 0: all octaves alike.
  TIMBRE_HD double scale(double square, double steps, double ctroct, double octwidth) const {
    const double scale = sqrt(square) < smallest_norm ? 1.0 : 1 / sqrt(square);
    if (!(octwidth > 0)) return scale;
    const double away = (at / steps - ctroct) / octwidth;
    return scale * exp(-0.5 * away * away);
  }
};
/// Where class c of n stands in the output.
TIMBRE_HD inline std::int64_t chroma_column(std::int64_t c, std::int64_t n, bool base_c) {
  return base_c ? (c - 3 * (n / 12) + n) % n : c;
}
/// Of each frequency but 0, in octaves above 440 / 16 Hz, [n_fft - 1].
std::vector<double> chroma_octaves(const FeatureOptions& options);

/// w above for one tuning, computed in float64 and rounded to float32 as librosa does: [bins, n_chroma].
class ChromaFilters {
 public:
  explicit ChromaFilters(const FeatureOptions& options);
  const std::vector<float>& weights(double tuning);

 private:
  ChromaStftOptions o_;
  int n_fft_;
  std::vector<double> octaves_;
  std::vector<float> weights_;
  std::optional<double> tuning_;  // of the weights
};

}  // namespace timbre::features
