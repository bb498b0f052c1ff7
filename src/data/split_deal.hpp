// Dealing groups of different sizes to parts of given fractions (used by split.cpp).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace timbre::data {

/// order [G]: groups, shuffled; sizes: rows of each group, by group; counts [P]: groups that each part gets, adding
/// up to G; fractions [P] of the rows that each part should get.
/// Returns the part of order[i]. The groups are dealt in order; then pairs change places between parts, counts
/// kept, as long as a swap brings the rows of the parts nearer (least squares) to their fractions.
std::vector<int> deal(std::span<const std::int32_t> order, std::span<const std::int64_t> sizes,
                      std::span<const std::int64_t> counts, std::span<const double> fractions);

}  // namespace timbre::data
