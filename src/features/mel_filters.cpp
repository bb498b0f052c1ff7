#include "features/mel_filters.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "core/simd.hpp"

namespace timbre::features {
namespace {

struct Slaney {
  static constexpr double spacing = 200.0 / 3, corner = 1000, corner_mel = corner / spacing;
  static inline const double step = std::log(6.4) / 27;
  static double mel(double hz) {
    return hz < corner ? hz / spacing : corner_mel + std::log(hz / corner) / step;
  }
  static double hz(double mel) {
    return mel < corner_mel ? mel * spacing : corner * std::exp(step * (mel - corner_mel));
  }
};
struct Htk {
  static double mel(double hz) { return 2595.0 * std::log10(1.0 + hz / 700.0); }
  static double hz(double mel) { return 700.0 * (std::pow(10.0, mel / 2595.0) - 1.0); }
};

template <class Scale>
std::vector<double> corners(double low, double high, int count) {
  std::vector<double> out;
  const double first = Scale::mel(low), last = Scale::mel(high);
  for (int i = 0; i < count; ++i) out.push_back(Scale::hz(first + (last - first) * i / (count - 1)));
  return out;
}

/// Eight lanes; the compiler splits them where the machine has fewer.
typedef float Lanes __attribute__((vector_size(32), aligned(4), may_alias));
typedef float Half __attribute__((vector_size(16)));
typedef std::int32_t HalfIndex __attribute__((vector_size(16)));

void apply_filters(const MelFilter* filters, std::int64_t size, const float* weights, const float* rows,
                   std::int64_t count, std::int64_t stride, float* out) {
  vectorised([&] {
    for (std::int64_t t = 0; t < count; ++t) {
      const float *w = weights, *row = rows + t * stride;
      const auto sums = [&](const MelFilter& filter) {
        const float* x = row + filter.first;
        Lanes sum{};
        for (std::int32_t g = 0; g < filter.groups; ++g, x += 8, w += 8)
          sum += *reinterpret_cast<const Lanes*>(x) * *reinterpret_cast<const Lanes*>(w);
        return Half{sum[0], sum[1], sum[2], sum[3]} + Half{sum[4], sum[5], sum[6], sum[7]};
      };
      const auto low = [](Half a, Half b) { return __builtin_shuffle(a, b, HalfIndex{0, 1, 4, 5}); };
      const auto high = [](Half a, Half b) { return __builtin_shuffle(a, b, HalfIndex{2, 3, 6, 7}); };
      const auto even = [](Half a, Half b) { return __builtin_shuffle(a, b, HalfIndex{0, 2, 4, 6}); };
      const auto odd = [](Half a, Half b) { return __builtin_shuffle(a, b, HalfIndex{1, 3, 5, 7}); };
      std::int64_t m = 0;
      for (; m + 4 <= size; m += 4) {  // the eight lanes of four filters at once
        const Half a = sums(filters[m]), b = sums(filters[m + 1]), c = sums(filters[m + 2]),
                   d = sums(filters[m + 3]);
        const Half ab = low(a, b) + high(a, b), cd = low(c, d) + high(c, d), all = even(ab, cd) + odd(ab, cd);
        std::memcpy(out + t * size + m, &all, sizeof all);
      }
      for (; m < size; ++m) {
        const Half a = sums(filters[m]);
        out[t * size + m] = (a[0] + a[2]) + (a[1] + a[3]);
      }
    }
  });
}

}  // namespace

std::vector<double> mel_frequencies(const FeatureOptions& options) {
  return (options.mel_scale == "htk" ? corners<Htk> : corners<Slaney>)(options.fmin,
                                                                       options.highest_frequency(),
                                                                       options.n_mels + 2);
}

std::string note_on_empty_bands(const FeatureOptions& options) {
  const MelFilters filters(options);
  const auto& all = filters.filters();
  const auto empty = std::count_if(all.begin(), all.end(), [](const MelFilter& f) { return f.groups == 0; });
  if (empty == 0) return "";
  return fmt::format(
      "features: {} of {} mel bands lie between two frequencies of the transform and hold nothing; fewer "
      "n_mels, or a larger n_fft than {}, fills them",
      empty, all.size(), options.n_fft);
}

MelFilters::MelFilters(const FeatureOptions& options) : bins_(options.bins()) {
  const auto c = mel_frequencies(options);
  for (std::size_t m = 0; m + 2 < c.size(); ++m) {
    const double scale = options.norm == "slaney" ? 2.0 / (c[m + 2] - c[m]) : 1.0;
    MelFilter filter{0, 0};
    std::vector<float> weights;
    // (one bin more on both sides than the triangle has: rounding decides about those at its corners)
    const double bins_per_hz = static_cast<double>(options.n_fft) / options.sample_rate;
    const auto begin = std::clamp<std::int64_t>(static_cast<std::int64_t>(c[m] * bins_per_hz) - 1, 0, bins_),
               end =
                   std::clamp<std::int64_t>(static_cast<std::int64_t>(c[m + 2] * bins_per_hz) + 2, 0, bins_);
    for (auto k = begin; k < end; ++k) {
      const double f = static_cast<double>(k) * options.sample_rate / options.n_fft;
      const double weight = std::min((f - c[m]) / (c[m + 1] - c[m]), (c[m + 2] - f) / (c[m + 2] - c[m + 1]));
      if (!(weight > 0)) continue;  // a triangle: the weights above zero are neighbours
      if (weights.empty()) filter.first = static_cast<std::int32_t>(k);
      weights.push_back(static_cast<float>(scale * weight));
    }
    weights.resize((weights.size() + 7) / 8 * 8, 0.0f);
    filter.groups = static_cast<std::int32_t>(weights.size() / 8);
    filters_.push_back(filter);
    weights_.insert(weights_.end(), weights.begin(), weights.end());
  }
}

void MelFilters::apply(const float* rows, std::int64_t count, std::int64_t stride, float* out) const {
  apply_filters(filters_.data(), size(), weights_.data(), rows, count, stride, out);
}

std::vector<float> MelFilters::dense() const {
  std::vector<float> matrix(static_cast<std::size_t>(size() * bins_), 0.0f);
  const float* w = weights_.data();
  for (std::int64_t m = 0; m < size(); ++m) {
    const auto& f = filters_[static_cast<std::size_t>(m)];
    for (std::int64_t i = 0; i < 8 * f.groups; ++i, ++w)
      if (*w != 0) matrix[static_cast<std::size_t>(m * bins_ + f.first + i)] = *w;
  }
  return matrix;
}

}  // namespace timbre::features
