// The findings of a report, in sentences. Each follows from a table of the same report.
#pragma once

#include <string>
#include <vector>

#include "report/analysis.hpp"
#include "report/numbers.hpp"

namespace timbre::report {

std::vector<std::string> findings(const Analysis& a);

std::string full_name(const Family& f, const Configuration& c);
std::string listed(const std::vector<std::string>& names);
/// "logistic regression", "nearest mean", "majority".
std::string baseline_name(const std::string& name);
/// "45 groups of clips", "6 folds", "67 clips".
std::string units_text(const std::string& unit, std::int64_t units);
/// The verdict of a comparison, as its table has it: "better", "worse", "undecided".
std::string verdict_text(const Comparison& c);

}  // namespace timbre::report
