// Which configurations may be ranked against each other.
//
// A study compares configurations on the same split per seed. Whether two configurations did that is read
// from their records: for each repetition (seed, fold) that both have, the data and the validation clips (by path
// and label; where the split leaks, the validation segments) must be the same. Configurations that share no
// repetition, or differ in one, are parted: each part is a family with a choice and a reference of its own, and the
// report pairs nothing across parts. So one configuration under several splits stays in the report as a
// description: a split must not be chosen by the figures that it flatters.
#pragma once

#include <vector>

#include "report/analysis.hpp"

namespace timbre::report {

/// Parts of `configurations` (indices into it), in the order of their first. A configuration that was never
/// validated goes with those of the same `dataset` and `split` settings, or is a part of its own. roots: the settings of each.
std::vector<std::vector<std::size_t>> comparable(const std::vector<RunSummary>& runs,
                                                 const std::vector<Configuration>& configurations,
                                                 const std::vector<const config::Node*>& roots);

/// Whether a key says which clips there are, or which part they are in.
bool of_data_or_split(const std::string& key);

/// Names the families of each experiment apart, by the settings that part them, and fills parted_by and
/// apart. roots: the settings of each family's first configuration.
void name_apart(std::vector<Family>& families, const std::vector<std::vector<const config::Node*>>& roots);

}  // namespace timbre::report
