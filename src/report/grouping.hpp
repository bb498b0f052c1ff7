// Runs into configurations and families, and the axes along which a family's configurations differ.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "report/analysis.hpp"

namespace timbre::report {

/// Reads the files, each once. Throws RequestError: none; other label names than the first's; two of the same
/// key.
std::vector<RunSummary> read_runs(const std::vector<std::filesystem::path>& results, Names& clips);

/// Families in the order in which they are first seen, their configurations likewise. axes: as Options::axes;
/// those a family does not differ in are left out, and where they do not tell all its configurations apart,
/// others are added.
std::vector<Family> group(const std::vector<RunSummary>& runs, const std::vector<std::string>& axes);

}  // namespace timbre::report
