// How far figures can be trusted: intervals. All in float64. Tests of differences: paired.hpp.
//
// Which interval answers which question:
//   wilson_interval     one run on K clips: how the accuracy would vary with other clips of the same kind
//   bootstrap_interval  the same for any figure over clips (macro F1, a difference between two runs)
//   grouped_interval    an accuracy over clips that come in groups (of an artist): how it varies with other groups
//   t_interval          several seeds of one configuration: how the mean varies with the seed; with the share
//                       n2/n1, several splits of the same clips: how it varies with the data, too
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace timbre::evaluation {

struct Interval {
  double low = 0, high = 0;
};

double mean(std::span<const double> values);  // NaN of none
/// With n - 1 in the denominator; NaN of fewer than two values.
double standard_deviation(std::span<const double> values);

/// mean -+ t[(1 + confidence) / 2, n - 1] * s * sqrt(1/n + share); NaN for fewer than two values. share: 0
/// for independent values; for values of n splits of the same items, whose training sets overlap, items
/// evaluated over items trained on: the corrected resampled t-interval of C. Nadeau and Y. Bengio, "Inference
/// for the Generalization Error", Machine Learning 52 (2003).
Interval t_interval(std::span<const double> values, double confidence = 0.95, double share = 0);

/// Wilson's score interval of a proportion (1927), without continuity correction; [0, 1] of no trials.
Interval wilson_interval(std::int64_t successes, std::int64_t trials, double confidence = 0.95);

/// Percentile interval of a figure over items: `samples` times, `items` indices are drawn with replacement
/// and given to `figure`; the interval lies between the quantiles (1 -+ confidence) / 2, interpolated as
/// numpy does. The same seed gives the same interval. NaN of no items. Figures that are NaN are left out.
Interval bootstrap_interval(std::int64_t items,
                            const std::function<double(std::span<const std::int64_t>)>& figure,
                            std::uint64_t seed = 0, int samples = 2000, double confidence = 0.95);
/// The same for the mean of values: of rights and wrongs per clip, or of their difference between two runs.
Interval bootstrap_interval(std::span<const double> values, std::uint64_t seed = 0, int samples = 2000,
                            double confidence = 0.95);

/// The answers on one unit: a clip, or the clips of an artist.
struct Tally {
  double right = 0, all = 0;
};
/// Right answers over all answers, with its percentile bootstrap over units: each is drawn with all its answers. Where all
/// answers are alike nothing can be drawn: Wilson's interval of so many units. NaN of fewer than two units.
Interval grouped_interval(std::span<const Tally> units, std::uint64_t seed = 0, int samples = 2000,
                          double confidence = 0.95);

/// The values in [low, high] of an interval.
Interval cut(Interval interval, double low, double high);

/// Holm's adjusted p-values for several comparisons, in the order given.
std::vector<double> holm(std::span<const double> p_values);

/// Quantiles of the standard normal and of Student's t, 0 < p < 1.
double normal_quantile(double p);
double student_quantile(double p, double degrees);

}  // namespace timbre::evaluation
