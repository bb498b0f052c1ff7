#include "evaluation/metrics.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <stdexcept>

namespace timbre::evaluation {
namespace {

void require(bool holds, const char* what) {
  if (!holds) throw std::invalid_argument(what);
}

double ratio(double part, double whole) { return whole > 0 ? part / whole : 0.0; }

}  // namespace

std::vector<std::int32_t> predicted_classes(std::span<const float> probabilities, std::int64_t classes) {
  require(classes > 0 && probabilities.size() % classes == 0, "probabilities are not whole rows");
  std::vector<std::int32_t> out(probabilities.size() / classes);
  for (std::size_t row = 0; row < out.size(); ++row) {
    const auto p = probabilities.subspan(row * classes, classes);
    out[row] = static_cast<std::int32_t>(std::max_element(p.begin(), p.end()) - p.begin());
  }
  return out;
}

double accuracy(std::span<const std::int32_t> label, std::span<const std::int32_t> prediction) {
  require(label.size() == prediction.size(), "as many predictions as labels");
  if (label.empty()) return std::numeric_limits<double>::quiet_NaN();
  std::int64_t right = 0;
  for (std::size_t row = 0; row < label.size(); ++row) right += label[row] == prediction[row];
  return static_cast<double>(right) / static_cast<double>(label.size());
}

double cross_entropy(std::span<const float> probabilities, std::int64_t classes,
                     std::span<const std::int32_t> label) {
  require(probabilities.size() == label.size() * classes, "a row of probabilities for every label");
  if (label.empty()) return std::numeric_limits<double>::quiet_NaN();
  double sum = 0;
  for (std::size_t row = 0; row < label.size(); ++row) {
    require(label[row] >= 0 && label[row] < classes, "a label outside the classes");
    const double p = probabilities[row * classes + label[row]];
    // std::clamp lets NaN through, as a diverged model deserves.
    sum -= std::log(std::clamp(p, probability_epsilon, 1 - probability_epsilon));
  }
  return sum / static_cast<double>(label.size());
}

std::vector<std::int32_t> confusion_matrix(std::span<const std::int32_t> label,
                                           std::span<const std::int32_t> prediction, std::int64_t classes) {
  require(label.size() == prediction.size(), "as many predictions as labels");
  std::vector<std::int32_t> out(classes * classes);
  for (std::size_t row = 0; row < label.size(); ++row) {
    require(label[row] >= 0 && label[row] < classes, "a label outside the classes");
    require(prediction[row] >= 0 && prediction[row] < classes, "a prediction outside the classes");
    ++out[label[row] * classes + prediction[row]];
  }
  return out;
}

PerClass per_class(std::span<const std::int32_t> confusion, std::int64_t classes) {
  require(static_cast<std::int64_t>(confusion.size()) == classes * classes, "a square confusion matrix");
  PerClass out;
  for (std::int64_t c = 0; c < classes; ++c) {
    double truths = 0, predictions = 0;
    for (std::int64_t other = 0; other < classes; ++other) {
      truths += confusion[c * classes + other];
      predictions += confusion[other * classes + c];
    }
    const double hits = confusion[c * classes + c];
    out.precision.push_back(ratio(hits, predictions));
    out.recall.push_back(ratio(hits, truths));
    out.f1.push_back(ratio(2 * hits, truths + predictions));
  }
  return out;
}

double macro_f1(const PerClass& figures, std::span<const std::int32_t> confusion) {
  const auto classes = figures.f1.size();
  require(confusion.size() == classes * classes, "a square confusion matrix of the classes");
  double sum = 0, present = 0;
  for (std::size_t c = 0; c < classes; ++c) {
    const auto row = confusion.subspan(c * classes, classes);
    if (std::all_of(row.begin(), row.end(), [](auto n) { return n == 0; })) continue;
    sum += figures.f1[c], ++present;
  }
  return present > 0 ? sum / present : std::numeric_limits<double>::quiet_NaN();
}

double majority_share(std::span<const std::int32_t> label) {
  if (label.empty()) return std::numeric_limits<double>::quiet_NaN();
  std::map<std::int32_t, std::int64_t> counts;
  std::int64_t most = 0;
  for (const auto l : label) most = std::max(most, ++counts[l]);
  return static_cast<double>(most) / static_cast<double>(label.size());
}

}  // namespace timbre::evaluation
