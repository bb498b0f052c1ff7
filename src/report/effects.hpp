// What a setting does, on validation: matched differences.
//
// Means over everything else differ by what the splits did to all of them; standard errors of such means cannot judge
// two settings that saw the same splits. So each configuration with a value is set against the one that has the axis's first
// value and is alike in all else, on the same repetition; the differences of a repetition are averaged, and the mean over
// repetitions has the interval of spread.hpp.
#pragma once

#include "report/analysis.hpp"

namespace timbre::report {

/// Fills `effects` of every axis: one per value but the first.
void measure_effects(const std::vector<RunSummary>& runs, Family& f);

}  // namespace timbre::report
