// Runs into configurations and families, and the axes along which a family's configurations differ.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "report/analysis.hpp"

namespace timbre::report {

struct ReadRuns {
  std::vector<RunSummary> runs;
  std::vector<Failure> unreadable;  // by their files
  std::vector<std::string> copies;  // files of a run that another file already holds
};

/// Reads the files, each once. Of two results of one run (the same key, as `reproduce` leaves them in KEY-again) the
/// first counts, if they say the same; it is the original where one of them lies in a folder that ends in -again. Throws
/// RequestError: none can be read; two results of one run that differ.
ReadRuns read_runs(const std::vector<std::filesystem::path>& results, Catalogue& catalogue,
                   const storage::Trust& trust = {});

/// Throws RequestError for a key that is in no run's configuration.
void refuse_unknown_axes(const std::vector<RunSummary>& runs, const std::vector<std::string>& axes);

/// Families: what is of one experiment, one kind of data and split, and validated on the same clips
/// (comparable.hpp); in the order in which they are first seen, their configurations likewise. Fills
/// RunSummary::data where data sets of several places have the same names. axes: as Options::axes;
/// those in which a family does not differ are left out; others are added where they do not distinguish all its
/// configurations.
std::vector<Family> group(std::vector<RunSummary>& runs, const std::vector<std::string>& axes);

}  // namespace timbre::report
