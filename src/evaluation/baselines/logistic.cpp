#include "evaluation/baselines/logistic.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "evaluation/aggregate.hpp"
#include "evaluation/metrics.hpp"

namespace timbre::evaluation {
namespace {

constexpr std::int64_t piece_rows = 128;
// Products of a whole fit: wide features of many rows (spectrograms) end after fewer steps than the gradient asks for.
constexpr std::int64_t most_work = 1'000'000'000;

// Scores of a row, then its probabilities in their place; returns the log of the sum of exponentials.
double softmax_of(std::span<const double> x, const double* weights, std::span<double> p) {
  const auto width = x.size();
  for (std::size_t c = 0; c < p.size(); ++c) {
    const auto* w = weights + c * (width + 1);
    // Four sums, so that the processor need not wait for each addition.
    double sums[4] = {w[width], 0, 0, 0};
    std::size_t f = 0;
    for (; f + 4 <= width; f += 4)
      for (std::size_t k = 0; k < 4; ++k) sums[k] += w[f + k] * x[f + k];
    for (; f < width; ++f) sums[0] += w[f] * x[f];
    p[c] = (sums[0] + sums[1]) + (sums[2] + sums[3]);
  }
  const double most = *std::max_element(p.begin(), p.end());
  double sum = 0;
  for (double& v : p) sum += v = std::exp(v - most);
  for (double& v : p) v /= sum;
  return most + std::log(sum);
}

}  // namespace

Minimum fit_logistic(const Matrix& x, std::span<const std::int32_t> label, std::int64_t classes,
                     double penalty, ThreadPool& pool, std::vector<double> start) {
  const auto width = static_cast<std::size_t>(x.columns), count = static_cast<std::size_t>(classes);
  const auto size = count * (width + 1);
  if (classes == 2) penalty *= 2;
  const auto pieces = piece_count(x.rows, piece_rows);
  std::vector<std::vector<double>> gradients(static_cast<std::size_t>(pieces), std::vector<double>(size));
  std::vector<double> values(static_cast<std::size_t>(pieces));
  const auto loss = [&](std::span<const double> weights, std::span<double> gradient) {
    pool.parallel_for(pieces, [&](std::int64_t piece, int) {
      auto& g = gradients[static_cast<std::size_t>(piece)];
      std::fill(g.begin(), g.end(), 0.0);
      double value = 0;
      std::vector<double> p(count);
      const auto range = piece_of(x.rows, pieces, piece);
      for (auto row = range.begin; row < range.end; ++row) {
        const auto features = x.row(row);
        const auto truth = static_cast<std::size_t>(label[static_cast<std::size_t>(row)]);
        const double scale = softmax_of(features, weights.data(), p);
        const auto* w = weights.data() + truth * (width + 1);
        double score = w[width];
        for (std::size_t f = 0; f < width; ++f) score += w[f] * features[f];
        value += scale - score;
        p[truth] -= 1;
        for (std::size_t c = 0; c < count; ++c) {
          auto* into = g.data() + c * (width + 1);
          for (std::size_t f = 0; f < width; ++f) into[f] += p[c] * features[f];
          into[width] += p[c];
        }
      }
      values[static_cast<std::size_t>(piece)] = value;
    });
    double value = 0;
    std::fill(gradient.begin(), gradient.end(), 0.0);
    for (std::size_t piece = 0; piece < gradients.size(); ++piece) {
      value += values[piece];
      for (std::size_t i = 0; i < size; ++i) gradient[i] += gradients[piece][i];
    }
    for (std::size_t i = 0; i < size; ++i)
      if (i % (width + 1) != width)
        value += penalty / 2 * weights[i] * weights[i], gradient[i] += penalty * weights[i];
    return value;
  };
  if (start.size() != size) start.assign(size, 0.0);
  const auto steps =
      std::clamp<std::int64_t>(most_work / std::max<std::int64_t>(1, x.rows * std::int64_t(size)), 10, 2000);
  return minimise(loss, std::move(start), logistic_tolerance, int(steps));
}

std::vector<float> logistic_probabilities(const Matrix& x, std::span<const double> weights,
                                          std::int64_t classes) {
  std::vector<float> out;
  std::vector<double> p(static_cast<std::size_t>(classes));
  for (std::int64_t row = 0; row < x.rows; ++row) {
    softmax_of(x.row(row), weights.data(), p);
    for (const double v : p) out.push_back(static_cast<float>(v));
  }
  return out;
}

Baseline logistic(const BaselineData& data, ThreadPool& pool) {
  Baseline out{.name = baseline_names[2], .parameters = data.classes * (data.train.columns + 1)};
  double best_accuracy = -1, best_loss = std::numeric_limits<double>::infinity();
  std::vector<double> weights;
  // From the strongest penalty on: each begins where the one before ended.
  for (const double penalty : logistic_penalties) {
    auto fit = fit_logistic(data.train, data.train_label, data.classes, penalty, pool, std::move(weights));
    weights = std::move(fit.x);
    out.iterations += fit.iterations, out.converged &= fit.converged;
    const auto on_validation = logistic_probabilities(data.validation, weights, data.classes);
    const auto clips =
        aggregate_clips(on_validation, data.classes, data.validation_label, data.validation_clip);
    const double loss = cross_entropy(clips.probabilities, data.classes, clips.label);
    if (clips.accuracy > best_accuracy || (clips.accuracy == best_accuracy && loss < best_loss) ||
        penalty == logistic_penalties[0]) {
      best_accuracy = clips.accuracy, best_loss = loss, out.penalty = penalty;
      out.probabilities = logistic_probabilities(data.test, weights, data.classes);
    }
  }
  return out;
}

}  // namespace timbre::evaluation
