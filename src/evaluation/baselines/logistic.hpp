// Multinomial logistic regression with an L2 penalty.
//
//   minimises  sum over rows of -log softmax(W x + b)[label]  +  penalty / 2 * |W|^2
// The intercepts b are not penalised. With penalty = 1 / C this is scikit-learn's LogisticRegression(C). (For two classes
// scikit-learn keeps only the difference of the two rows of W: there its penalty is half of this one.)
#pragma once

#include "evaluation/baselines/baselines.hpp"
#include "evaluation/lbfgs.hpp"

namespace timbre::evaluation {

inline constexpr double logistic_penalties[] = {1000, 100, 10, 1, 0.1, 0.01, 0.001};
inline constexpr double logistic_tolerance = 1e-6;

/// A fit takes at most a thousand million products: spectrograms would take minutes. Such a fit ends before its gradient is
/// below the tolerance (Minimum::converged), after the same number of steps on any machine. Minimum::x: [classes, columns + 1],
/// each row's intercept last. `start`: empty, or an x to begin with.
Minimum fit_logistic(const Matrix& x, std::span<const std::int32_t> label, std::int64_t classes,
                     double penalty, ThreadPool& pool, std::vector<double> start = {});

/// [rows, classes]
std::vector<float> logistic_probabilities(const Matrix& x, std::span<const double> weights,
                                          std::int64_t classes);

}  // namespace timbre::evaluation
