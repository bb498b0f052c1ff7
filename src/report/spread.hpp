// The mean of a figure over repetitions (seeds, folds), and how far it can be trusted.
//
// Runs on one and the same split (seeds that change the initial weights alone) are independent given that
// split, and have Student's interval, mean -+ t[n - 1] s / sqrt(n): how the mean would vary with other
// weights. Splits drawn anew from the same clips (a split per seed, folds) share most of their training
// clips, so their figures vary less together than on new data, and that interval is too narrow. There
//   mean -+ t[k - 1] s sqrt(1/k + n2/n1)
// of k splits is used, with s over the splits (runs on the same split are averaged first) and n2/n1 the
// segments evaluated over the segments trained on. Source: C. Nadeau, Y. Bengio, "Inference for the
// Generalization Error", Machine Learning 52 (2003); of repeated folds R. Bouckaert, E. Frank, PAKDD 2004.
#pragma once

#include <cstdint>
#include <limits>
#include <vector>

namespace timbre::report {

/// A figure of one run.
struct Repeated {
  double value;
  std::int32_t split;  // its number: equal for runs on the same split
  double share;        // n2/n1
};

/// NaN where the values are too few.
struct Spread {
  std::int64_t n = 0;  // runs
  double mean = std::numeric_limits<double>::quiet_NaN(), deviation = mean, low = mean, high = mean;
  double error = mean;     // standard error of the mean, corrected as the interval is
  bool corrected = false;  // several splits
};
Spread spread_of(const std::vector<Repeated>& values);

}  // namespace timbre::report
