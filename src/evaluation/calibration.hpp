// Whether probabilities say how often the model is right.
//
//   reliability      rows are put into bins (low, high] of equal width by their largest probability
//   expected_error   ECE: sum over bins of count / N * |accuracy - confidence|; Guo et al., ICML 2017
//   expected_error_null   what ECE a perfectly calibrated model with these confidences would show: in each of `samples`
//                    simulations row i is right with probability equal to its confidence. Bins of few rows make it large
//                    (about 0.09 for 107 rows in 15 bins): only ECE minus its null says something of the model.
//   brier            mean over rows of sum over classes of (p - [class is the label])^2: 0 to 2; Brier, 1950
//
// All are of one run: a pooled diagram of several runs lets their errors cancel. The simulation takes rows as independent.
// Rows of one clip are not, so the null of segments is a lower bound. Figures of no rows are NaN. Arguments that do not fit
// together are std::invalid_argument.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace timbre::evaluation {

struct Reliability {
  struct Bin {
    double low = 0, high = 0;
    std::int64_t count = 0;
    double confidence = 0, accuracy = 0;  // means over the bin; NaN where it is empty
  };
  std::vector<Bin> bins;
  double expected_error = 0;
};
Reliability reliability(std::span<const float> probabilities, std::int64_t classes,
                        std::span<const std::int32_t> label, int bins = 15);

double expected_error_null(std::span<const float> probabilities, std::int64_t classes, int bins = 15,
                           std::uint64_t seed = 0, int samples = 200);

double brier(std::span<const float> probabilities, std::int64_t classes, std::span<const std::int32_t> label);

/// The figures of one run's rows.
struct Calibration {
  Reliability reliability;
  double null_error = 0, brier = 0;
};
Calibration calibration(std::span<const float> probabilities, std::int64_t classes,
                        std::span<const std::int32_t> label);

}  // namespace timbre::evaluation
