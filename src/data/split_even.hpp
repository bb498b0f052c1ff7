// Dealing groups that hold several classes to parts, whole (used by split.cpp).
//
// A deal is judged by its deviation
//   E = sum over parts p of [ (n_p / (f_p N) - 1)^2 + sum over classes c of (n_pc / (f_p N_c) - 1)^2 ]
// where n_p is what part p holds, n_pc what it holds of class c, N and N_c all there is of them, f_p the fraction
// of p. So every size and every class's count is measured as a share of its target. Where classes do not count
// (stratify: false) the inner sum is left out. Deals that lack less are better whatever their E: what a deal lacks
// are its empty parts and, where classes count, the pairs (part, class) without anything.
//
// Up to `exact_deals` deals (12 groups in three parts, 11 in five folds, 6 folds of 11) the best of all is found by
// branch and bound. Above, the best of a bounded number of descents is taken: groups move, and change places, as long as that lowers E. Both are
// deterministic. The seed decides among equally good deals, where a descent begins, and which fold is which.
#pragma once

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace timbre::data {

/// A group: its size, and its classes, ascending, each with its count (> 0).
struct MixedGroup {
  std::int64_t size = 0;
  std::vector<std::pair<std::int32_t, std::int64_t>> classes;
};

/// Deals are counted as parts^groups, and as parts^groups / parts! where all parts are alike.
inline constexpr double exact_deals = 1e6;

struct EvenDeal {
  std::vector<int> part;     // of each group
  std::int64_t lacking = 0;  // empty parts, or pairs (part, class) without anything
  double deviation = 0;      // E
  bool exact = false;        // no deal is better
};

/// groups [G], G >= 1; fractions [P] add up to 1; `alike`: the parts are folds, whose order means nothing.
/// `start`: a deal to begin with, or empty.
EvenDeal deal_evenly(std::span<const MixedGroup> groups, std::span<const double> fractions, bool by_class,
                     bool alike, std::uint64_t seed, std::span<const int> start = {});

/// E and what is lacking of a given deal.
EvenDeal judge_deal(std::span<const MixedGroup> groups, std::span<const double> fractions, bool by_class,
                    std::vector<int> part);

}  // namespace timbre::data
