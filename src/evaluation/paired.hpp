// Whether two models that answered the same clips differ.
//
// Clips of one artist, speaker or other group are alike, and several runs answer one clip alike: only the largest units that
// are shared are independent. D_g is the sum of (first right) - (second right) over the clips and runs of unit g. If the
// models are equally good, every D_g may as well have the other sign:
//   p = P(|sum of e_g D_g| >= |sum of D_g|), e_g = -1 or +1 with one half each, independently
// With one answer to each clip and clips as units this is McNemar's exact test. The probabilities are exact (a
// convolution over the possible sums) as long as that is cheap, else of 100,000 draws whose signs are counter-based:
// (1 + as extreme) / (1 + draws). Source: R. A. Fisher, "The Design of Experiments" (1935), section 21.
//
// Chance also acts on a run as a whole: the test speaks of other units, not of other splits and seeds. A report says "better"
// only where the corrected interval over those (statistics.hpp) agrees.
#pragma once

#include <cstdint>
#include <span>

namespace timbre::evaluation {

struct SignFlip {
  std::int64_t units = 0, first = 0, second = 0;  // units; of these, with a positive and with a negative sum
  double p_value = 1;                             // two-sided, 1 where no unit differs
  double least = 1;  // the least p-value that so many units can give: 2^(1 - units)
  bool exact = true;
};
SignFlip sign_flip_test(std::span<const std::int64_t> sums, std::uint64_t seed = 0);

/// The difference in accuracy that the test at 5% finds with a probability of 80%, about:
///   (1.96 + 0.84) sqrt(sum of D_g^2) / answers
/// For one run by clips that is 2.80 sqrt(psi / K), where psi is the share of the K clips that only one of the two got right.
/// It is at least six answers: fewer units on one side are never below 5%. NaN where there are fewer than six units.
double detectable_difference(std::span<const std::int64_t> sums, std::int64_t answers);

}  // namespace timbre::evaluation
