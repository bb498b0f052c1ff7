// The mean of a figure over repetitions (seeds, folds), and how far it can be trusted.
//
// Runs on one and the same split (seeds that change initial weights, order and dropout) are independent given that
// split, and have Student's interval, mean -+ t[n - 1] s / sqrt(n): how the mean would vary with other seeds. Splits
// drawn anew from the same clips (a split per seed, folds) share most of their training clips, so their figures
// vary less together than on new data, and that interval is too narrow. There
//   mean -+ t[k - 1] s sqrt(1/k + n2/n1)
// of k splits is used, with s over the splits (runs on the same split are averaged first) and n2/n1 the
// segments evaluated over the segments trained on. Source: C. Nadeau, Y. Bengio, "Inference for the
// Generalization Error", Machine Learning 52 (2003); of repeated folds R. Bouckaert, E. Frank, PAKDD 2004.
// Two repetitions have no interval: Student's factor is 12.7 there, and what comes out says nothing.
#pragma once

#include <cstdint>
#include <limits>
#include <vector>

#include "evaluation/statistics.hpp"

namespace timbre::report {

/// A figure of one run.
struct Repeated {
  double value;
  std::int32_t split;  // its number: equal for runs on the same split
  double share;        // n2/n1
};

inline constexpr std::int64_t fewest_repetitions = 3;  // that have an interval

/// NaN where the values are too few.
struct Spread {
  std::int64_t n = 0, repetitions = 0;  // runs; independent values: splits, or runs where there is one split
  double mean = std::numeric_limits<double>::quiet_NaN(), deviation = mean, low = mean, high = mean;
  double least = mean, most = mean;  // of the runs
  double half = mean;                // of the interval, before it was cut to what is possible
  double error = mean;               // standard error of the mean, corrected as the interval is
  bool corrected = false;            // several splits
  bool has_interval() const { return repetitions >= fewest_repetitions; }
  bool is_cut() const { return has_interval() && (high < mean + half - 1e-12 || low > mean - half + 1e-12); }
};

/// The range of a figure, to which its interval is cut.
inline constexpr evaluation::Interval any_number{-std::numeric_limits<double>::infinity(),
                                                 std::numeric_limits<double>::infinity()};
inline constexpr evaluation::Interval a_share{0, 1}, a_difference{-1, 1},
    not_negative{0, std::numeric_limits<double>::infinity()};

Spread spread_of(const std::vector<Repeated>& values, evaluation::Interval possible = any_number);

}  // namespace timbre::report
