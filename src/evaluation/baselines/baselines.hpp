// Three classifiers without layers, which any model has to beat on the same rows. Their input is the mean and the deviation
// over time of each coefficient of the run's features.
//
//   majority       the share of each class among the training rows, for every row
//   nearest_mean   the class whose mean over the training rows is nearest: softmax(-|x - mean|^2 / 2)
//   logistic       multinomial logistic regression, by L-BFGS until the gradient is below 1e-6 (logistic.hpp)
//
// x is standardised by mean and deviation of the training rows. Of seven penalties the regression takes the one with which
// most validation clips are right; of equal ones that of the lower cross-entropy, then the larger. Nothing is random: the
// same rows give the same bytes on any number of threads.
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include "core/parallel.hpp"

namespace timbre::evaluation {

/// Rows of numbers, one after the other.
struct Matrix {
  std::int64_t rows = 0, columns = 0;
  std::vector<double> values;
  std::span<const double> row(std::int64_t i) const {
    return {values.data() + i * columns, static_cast<std::size_t>(columns)};
  }
};

/// Of features [frames, coefficients]: the mean over time of each coefficient, then its deviation (of n).
void summarise(std::span<const float> features, std::int64_t coefficients, std::span<double> out);

/// Mean and deviation of the columns over the rows of a matrix; a column that never varies has deviation 1.
struct Standard {
  std::vector<double> mean, deviation;
};
Standard standard_of(const Matrix& m);
void standardise(Matrix& m, const Standard& s);

/// The rows of a split, summarised. Labels are in [0, classes).
struct BaselineData {
  std::int64_t classes = 0;
  Matrix train, validation, test;
  std::vector<std::int32_t> train_label, validation_label, validation_clip;
};

/// The weakest first.
inline constexpr std::array<const char*, 3> baseline_names{"majority", "nearest_mean", "logistic"};
/// The baseline that networks are tested against; the others are only shown.
inline constexpr const char* tested_baseline = baseline_names[2];

struct Baseline {
  std::string name;                                           // one of baseline_names
  std::vector<float> probabilities;                           // [test rows, classes]
  std::int64_t parameters = 0;                                // fitted numbers
  double penalty = std::numeric_limits<double>::quiet_NaN();  // of the regression
  /// Of the regression: steps in all, and whether every fit reached its tolerance. Very wide features end it before (the
  /// work is bounded); a better regression may then exist.
  std::int64_t iterations = 0;
  bool converged = true;
};

/// In the order above. Standardises the matrices of `data`. Throws std::invalid_argument where they do not fit together.
std::vector<Baseline> fit_baselines(BaselineData& data, ThreadPool& pool);

Baseline majority(const BaselineData& data);
Baseline nearest_mean(const BaselineData& data);
Baseline logistic(const BaselineData& data, ThreadPool& pool);

}  // namespace timbre::evaluation
