#include <algorithm>
#include <cmath>
#include <limits>

#include "evaluation/baselines/baselines.hpp"

namespace timbre::evaluation {

Baseline nearest_mean(const BaselineData& data) {
  const auto classes = static_cast<std::size_t>(data.classes),
             width = static_cast<std::size_t>(data.train.columns);
  std::vector<double> means(classes * width), counts(classes);
  for (std::int64_t row = 0; row < data.train.rows; ++row) {
    const auto c = static_cast<std::size_t>(data.train_label[static_cast<std::size_t>(row)]);
    ++counts[c];
    for (std::size_t f = 0; f < width; ++f) means[c * width + f] += data.train.row(row)[f];
  }
  for (std::size_t i = 0; i < means.size(); ++i) means[i] /= std::max(1.0, counts[i / width]);
  Baseline out{.name = baseline_names[1], .parameters = data.classes * data.train.columns};
  std::vector<double> score(classes);
  for (std::int64_t row = 0; row < data.test.rows; ++row) {
    double best = -std::numeric_limits<double>::infinity(), sum = 0;
    for (std::size_t c = 0; c < classes; ++c) {
      score[c] = counts[c] > 0 ? 0 : -std::numeric_limits<double>::infinity();  // a class that train lacks
      for (std::size_t f = 0; f < width; ++f) {
        const double off = data.test.row(row)[f] - means[c * width + f];
        score[c] -= off * off / 2;
      }
      best = std::max(best, score[c]);
    }
    for (double& s : score) sum += s = std::exp(s - best);
    for (const double s : score) out.probabilities.push_back(static_cast<float>(s / sum));
  }
  return out;
}

}  // namespace timbre::evaluation
