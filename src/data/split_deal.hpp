// Dealing groups of different sizes to parts of given fractions (used by split.cpp).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace timbre::data {

/// Largest remainder: whole numbers that add up to `count`, as near count * fractions as may be; ties to the
/// earlier part. fractions add up to 1.
std::vector<std::int64_t> largest_remainder(std::int64_t count, std::span<const double> fractions);

/// order [G]: groups, shuffled; sizes: rows of each group, by group; counts [P]: groups that each part gets, adding
/// up to G; fractions [P] of the rows that each part should get.
/// Returns the part of order[i]. The groups are dealt in order; then pairs change places between parts, counts
/// kept, as long as a swap brings the rows of the parts nearer (least squares) to their fractions.
std::vector<int> deal(std::span<const std::int32_t> order, std::span<const std::int64_t> sizes,
                      std::span<const std::int64_t> counts, std::span<const double> fractions);

}  // namespace timbre::data
