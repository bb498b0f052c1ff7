#include "evaluation/calibration.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>

#include "core/philox.hpp"
#include "evaluation/metrics.hpp"

namespace timbre::evaluation {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

std::size_t bin_of(double confidence, int bins) {
  const double place = std::isnan(confidence) ? 0 : std::ceil(confidence * bins) - 1;
  return static_cast<std::size_t>(std::clamp(place, 0.0, bins - 1.0));
}

}  // namespace

Reliability reliability(std::span<const float> probabilities, std::int64_t classes,
                        std::span<const std::int32_t> label, int bins) {
  const auto prediction = predicted_classes(probabilities, classes);
  if (prediction.size() != label.size() || bins < 1)
    throw std::invalid_argument("a row for every label, and bins");
  Reliability out;
  for (int b = 0; b < bins; ++b)
    out.bins.push_back({static_cast<double>(b) / bins, static_cast<double>(b + 1) / bins, 0, 0, 0});
  for (std::size_t row = 0; row < label.size(); ++row) {
    const double confidence = probabilities[row * classes + prediction[row]];
    auto& bin = out.bins[bin_of(confidence, bins)];
    ++bin.count, bin.confidence += confidence, bin.accuracy += prediction[row] == label[row];
  }
  for (auto& bin : out.bins) {
    const auto count = static_cast<double>(bin.count);
    bin.confidence /= count, bin.accuracy /= count;  // 0 / 0 is the NaN of an empty bin
    if (bin.count > 0)
      out.expected_error +=
          count / static_cast<double>(label.size()) * std::abs(bin.accuracy - bin.confidence);
  }
  if (label.empty()) out.expected_error = nan;
  return out;
}

double expected_error_null(std::span<const float> probabilities, std::int64_t classes, int bins,
                           std::uint64_t seed, int samples) {
  const auto prediction = predicted_classes(probabilities, classes);
  if (bins < 1 || samples < 1) throw std::invalid_argument("bins, and simulations");
  if (prediction.empty()) return nan;
  std::vector<double> confidence;
  std::vector<std::size_t> bin;
  for (std::size_t row = 0; row < prediction.size(); ++row) {
    confidence.push_back(probabilities[row * classes + prediction[row]]);
    if (std::isnan(confidence.back())) return nan;
    bin.push_back(bin_of(confidence.back(), bins));
  }
  double sum = 0;
  std::vector<double> excess(static_cast<std::size_t>(bins));  // of a bin: right minus sure
  for (int s = 0; s < samples; ++s) {
    PhiloxSequence random(seed, stream::calibrated, static_cast<std::uint32_t>(s));
    std::fill(excess.begin(), excess.end(), 0.0);
    for (std::size_t row = 0; row < bin.size(); ++row)
      excess[bin[row]] += (random.uniform() < confidence[row]) - confidence[row];
    for (const double e : excess) sum += std::abs(e);
  }
  return sum / samples / static_cast<double>(bin.size());
}

double brier(std::span<const float> probabilities, std::int64_t classes,
             std::span<const std::int32_t> label) {
  if (classes < 1 || probabilities.size() != label.size() * classes)
    throw std::invalid_argument("a row of probabilities for every label");
  if (label.empty()) return nan;
  double sum = 0;
  for (std::size_t row = 0; row < label.size(); ++row)
    for (std::int64_t c = 0; c < classes; ++c) {
      const double off = probabilities[row * classes + c] - (label[row] == c ? 1.0 : 0.0);
      sum += off * off;
    }
  return sum / static_cast<double>(label.size());
}

Calibration calibration(std::span<const float> probabilities, std::int64_t classes,
                        std::span<const std::int32_t> label) {
  // The simulated error varies the less, the more rows there are: so many take fewer simulations.
  constexpr std::int64_t most_answers = 4'000'000;
  const auto rows = std::max<std::int64_t>(1, static_cast<std::int64_t>(label.size()));
  const auto samples = static_cast<int>(std::clamp<std::int64_t>(most_answers / rows, 10, 200));
  return {reliability(probabilities, classes, label),
          expected_error_null(probabilities, classes, 15, 0, samples), brier(probabilities, classes, label)};
}

}  // namespace timbre::evaluation
