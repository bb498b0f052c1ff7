// One self-contained HTML page from result files alone, and its tables as CSV and Markdown beside it.
//
// Runs that differ only in what repeats a run (seed, split.seed, split.fold) are one configuration; the
// configurations of one experiment are a family. Runs whose split leaks, whose data are synthetic or of other
// genres, or that were not validated on the same clips for each seed (comparable.hpp) make families of their
// own: their figures cannot be compared with the others'. Within a family the configuration
// of the best mean validation clip accuracy is chosen (ties: lower mean validation loss, then the first).
// Test figures are shown of the chosen and of the reference configuration of a family only; those of all
// others are in none of the three files. The reference is the first configuration unless Options::references
// says otherwise. The same result files give the same bytes.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace timbre::report {

/// A run without a result.
struct Failure {
  std::string name, message;
};

/// A picture of the data; svg is one self-contained <svg> element.
struct Picture {
  std::string title, alt, svg;
};

struct Options {
  std::string title;                 // empty: from the experiments' names
  std::string command;               // how this page is made again, shown at its end; may be empty
  std::vector<std::string> axes;     // swept keys in the study's order; empty: found from what differs
  bool refuse_unknown_axes = false;  // axes that are in no configuration are a mistake
  std::vector<Failure> failed;       // named in the report
  std::int64_t planned = 0;          // runs of the study; 0: as many as there are results and failures
  std::vector<Picture> examples;     // may be empty
  bool own_folder = false;           // results and page lie in a folder of Timbre's own: a study's
  bool unverified = false;           // results whose checksum does not fit are read all the same
  // Results whose configurations are the references of their families; a family without one then has none,
  // and the page says so. Absent: the first configuration of each family.
  std::optional<std::vector<std::filesystem::path>> references;
};

struct Written {
  std::filesystem::path html, csv, markdown;
  std::size_t bytes = 0;            // of the page
  std::size_t runs = 0;             // in it
  std::size_t diverged = 0;         // of those
  std::vector<Failure> unreadable;  // files that are not in it, and why
};

/// Writes `html`, and beside it the same name with .csv and .md, each whole or not at all. Files are read one
/// at a time, without weights; a file named twice is read once; one that is damaged or no result is left out,
/// and the page says so. Throws RequestError: none can be read; two files of the same run; an unknown axis.
/// Error: a folder that cannot be written.
Written write_report(const std::vector<std::filesystem::path>& results, const std::filesystem::path& html,
                     const Options& options);

/// Every result.h5 at or below `path`, sorted; `path` itself where it is no folder. Throws RequestError where
/// there is none.
std::vector<std::filesystem::path> find_results(const std::filesystem::path& path);

}  // namespace timbre::report
