// A result or a feature file as a person would read it: the headline first, what it must not be mistaken for
// beside it, then the details. Plain text, at most about 110 columns with ten genres.
#pragma once

#include <filesystem>
#include <string>

#include "results/run_record.hpp"

namespace timbre::results {

struct DescribeOptions {
  bool all = false;  // every epoch and every bad file, not a selection
};

/// The text about a record (weights may be absent), ending in a newline.
std::string describe_result(const RunRecord& record, const DescribeOptions& options = {});

/// The text about a result or a feature file, as another process reads it (storage/door.hpp). Throws RequestError for any
/// other file, Error for a damaged one.
std::string describe_file(const std::filesystem::path& path, const DescribeOptions& options = {},
                          const storage::Trust& trust = {});
/// The same, read by this process.
std::string describe_file_here(const std::filesystem::path& path, const DescribeOptions& options = {});

/// "finished", "stopped early", ..., and the stamps SYNTHETIC, LEAKS, ARTISTS and MISSING with what they mean, one per line;
/// empty where there is nothing to warn of. Shared with what prints a run's end.
std::string stamps(const RunRecord& record);

}  // namespace timbre::results
