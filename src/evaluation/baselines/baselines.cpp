#include "evaluation/baselines/baselines.hpp"

#include <cmath>
#include <stdexcept>

namespace timbre::evaluation {

void summarise(std::span<const float> features, std::int64_t coefficients, std::span<double> out) {
  const auto width = static_cast<std::size_t>(coefficients);
  if (coefficients < 1 || features.empty() || features.size() % width != 0 || out.size() != 2 * width)
    throw std::invalid_argument("whole frames, and room for two numbers of each coefficient");
  const auto frames = features.size() / width;
  for (double& v : out) v = 0;
  for (std::size_t t = 0; t < frames; ++t)
    for (std::size_t f = 0; f < width; ++f) out[f] += features[t * width + f];
  for (std::size_t f = 0; f < width; ++f) out[f] /= static_cast<double>(frames);
  for (std::size_t t = 0; t < frames; ++t)
    for (std::size_t f = 0; f < width; ++f) {
      const double off = features[t * width + f] - out[f];
      out[width + f] += off * off;
    }
  for (std::size_t f = width; f < 2 * width; ++f) out[f] = std::sqrt(out[f] / static_cast<double>(frames));
}

Standard standard_of(const Matrix& m) {
  const auto width = static_cast<std::size_t>(m.columns);
  Standard s{std::vector<double>(width), std::vector<double>(width)};
  const auto n = static_cast<double>(m.rows);
  for (std::int64_t i = 0; i < m.rows; ++i)
    for (std::size_t f = 0; f < width; ++f) s.mean[f] += m.row(i)[f];
  for (double& v : s.mean) v /= n;
  for (std::int64_t i = 0; i < m.rows; ++i)
    for (std::size_t f = 0; f < width; ++f) {
      const double off = m.row(i)[f] - s.mean[f];
      s.deviation[f] += off * off;
    }
  for (std::size_t f = 0; f < width; ++f) {
    s.deviation[f] = std::sqrt(s.deviation[f] / n);
    // A smaller deviation is the rounding of equal values.
    if (!(s.deviation[f] > 1e-12 * std::abs(s.mean[f]))) s.deviation[f] = 1;
  }
  return s;
}

void standardise(Matrix& m, const Standard& s) {
  const auto width = static_cast<std::size_t>(m.columns);
  for (std::int64_t i = 0; i < m.rows; ++i)
    for (std::size_t f = 0; f < width; ++f) {
      auto& v = m.values[static_cast<std::size_t>(i) * width + f];
      v = (v - s.mean[f]) / s.deviation[f];
    }
}

std::vector<Baseline> fit_baselines(BaselineData& data, ThreadPool& pool) {
  const auto whole = [&](const Matrix& m) {
    return m.columns == data.train.columns && m.values.size() == static_cast<std::size_t>(m.rows * m.columns);
  };
  if (data.classes < 1 || data.train.rows < 1 || data.train.columns < 1 || !whole(data.train) ||
      !whole(data.validation) || !whole(data.test) ||
      data.train_label.size() != static_cast<std::size_t>(data.train.rows) ||
      data.validation_label.size() != static_cast<std::size_t>(data.validation.rows) ||
      data.validation_clip.size() != data.validation_label.size())
    throw std::invalid_argument("rows of one width, and a label for each");
  for (const auto* labels : {&data.train_label, &data.validation_label})
    for (const auto l : *labels)
      if (l < 0 || l >= data.classes) throw std::invalid_argument("a label outside the classes");
  const auto standard = standard_of(data.train);
  for (auto* m : {&data.train, &data.validation, &data.test}) standardise(*m, standard);
  return {majority(data), nearest_mean(data), logistic(data, pool)};
}

}  // namespace timbre::evaluation
