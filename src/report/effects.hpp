// The effect of a setting, on validation: matched differences.
//
// Splits shift all means alike; standard errors of such means cannot judge two settings that saw the same splits. So each
// configuration with a value is compared, on the same repetition, with the one that has the axis's first value and is alike
// in all else. The differences of a repetition are averaged. Their mean over repetitions has the interval of spread.hpp.
#pragma once

#include "report/analysis.hpp"

namespace timbre::report {

/// Fills `effects` of every axis: one per value but the first.
void measure_effects(const std::vector<RunSummary>& runs, Family& f);

}  // namespace timbre::report
