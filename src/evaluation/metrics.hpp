// Figures of a classifier from its probabilities.
//
// probabilities  float32 [N, C], row-major; a row is a softmax output
// label          int32 [N], in [0, C)
// prediction     int32 [N], the first of the largest probabilities of a row
//
//   accuracy   share of rows with prediction = label
//   loss       mean of -log(clip(p[label], 1e-7, 1 - 1e-7)), Keras's cross-entropy of probabilities
//   precision  tp / (tp + fp);  recall  tp / (tp + fn);  f1  2 tp / (2 tp + fp + fn);  0 where undefined
//   macro_f1   mean of f1 over the classes that have rows (scikit-learn's, with labels = those and zero_division = 0):
//              a class that no row has can be neither found nor missed
//
// Sums are float64, in the order of rows. Figures of no rows are NaN. Arguments that do not fit together are
// std::invalid_argument: a mistake of the program, not of its user.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace timbre::evaluation {

/// Cross-entropy clips probabilities to it and to 1 minus it: Keras's backend epsilon.
inline constexpr double probability_epsilon = 1e-7;

/// First maximum of each row: [N, C] -> [N]. A row with a NaN goes to the first class that is not beaten.
std::vector<std::int32_t> predicted_classes(std::span<const float> probabilities, std::int64_t classes);

double accuracy(std::span<const std::int32_t> label, std::span<const std::int32_t> prediction);

double cross_entropy(std::span<const float> probabilities, std::int64_t classes,
                     std::span<const std::int32_t> label);

/// Counts [C, C], rows true, columns predicted.
std::vector<std::int32_t> confusion_matrix(std::span<const std::int32_t> label,
                                           std::span<const std::int32_t> prediction, std::int64_t classes);

struct PerClass {
  std::vector<double> precision, recall, f1;  // [C]
};
/// Mean of f1 over the classes that the confusion matrix has rows of.
double macro_f1(const PerClass& figures, std::span<const std::int32_t> confusion);
/// Share of the commonest class: what always answering it gets right. NaN of no rows.
double majority_share(std::span<const std::int32_t> label);
PerClass per_class(std::span<const std::int32_t> confusion, std::int64_t classes);

}  // namespace timbre::evaluation
