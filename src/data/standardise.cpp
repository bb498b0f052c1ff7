#include "data/standardise.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "data/row_source.hpp"

namespace timbre::data {
namespace {

bool is_masked(const std::optional<float>& value, const float* frame, std::size_t coefficients) {
  return value && std::all_of(frame, frame + coefficients, [&](float v) { return v == *value; });
}

}  // namespace

Standardisation fit_standardisation(const RowSource& features, std::int64_t coefficients,
                                    std::span<const std::int32_t> rows, ThreadPool& pool,
                                    std::optional<float> masked) {
  const auto f = std::size_t(coefficients);
  const auto frames = features.width() / coefficients;
  const auto pieces = piece_count(std::int64_t(rows.size()), 64);
  // Two passes: the mean first, then the squares around it, each as sums of pieces added in order.
  const auto sums = [&](const std::vector<double>& centre, bool square) {
    std::vector<double> partial(std::size_t(pieces) * f, 0.0), total(f, 0.0);
    std::vector<std::int64_t> counted(std::size_t(pieces), 0);
    pool.parallel_for(pieces, [&](std::int64_t i, int) {
      double* out = partial.data() + std::size_t(i) * f;
      const auto piece = piece_of(std::int64_t(rows.size()), pieces, i);
      std::vector<float> row(std::size_t(features.width()));
      for (auto r = piece.begin; r < piece.end; ++r) {
        features.read(rows[std::size_t(r)], row.data());
        const float* x = row.data();
        for (std::int64_t t = 0; t < frames; ++t, x += coefficients) {
          if (is_masked(masked, x, f)) continue;
          ++counted[std::size_t(i)];
          for (std::size_t c = 0; c < f; ++c) {
            const double d = double(x[c]) - centre[c];
            out[c] += square ? d * d : d;
          }
        }
      }
    });
    for (std::int64_t i = 0; i < pieces; ++i)
      for (std::size_t c = 0; c < f; ++c) total[c] += partial[std::size_t(i) * f + c];
    const auto all = std::accumulate(counted.begin(), counted.end(), std::int64_t{0});
    for (auto& t : total) t /= double(std::max<std::int64_t>(all, 1));
    return total;
  };
  const auto mean = sums(std::vector<double>(f, 0.0), false), variance = sums(mean, true);
  Standardisation s{.mean = {}, .std = {}, .masked = masked};
  for (std::size_t c = 0; c < f; ++c) {
    s.mean.push_back(float(mean[c]));
    // A deviation of rounding alone counts as none.
    const double deviation = std::sqrt(variance[c]);
    s.std.push_back(deviation > 1e-6 * std::max(1.0, std::abs(mean[c])) ? float(deviation) : 1.0f);
  }
  return s;
}

void standardise_frames(const Standardisation& s, std::span<float> features) {
  const auto f = s.mean.size();
  for (std::size_t i = 0; i < features.size(); i += f) {
    if (is_masked(s.masked, features.data() + i, f)) continue;
    for (std::size_t c = 0; c < f; ++c) features[i + c] = (features[i + c] - s.mean[c]) / s.std[c];
  }
}

}  // namespace timbre::data
