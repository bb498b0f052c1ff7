// The rows of all files of a table from elsewhere, one after the other, without their features.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "data/tables/table.hpp"

namespace timbre::data {

/// All files of a table, one after the other.
struct TableRows : Table {
  std::vector<std::uint64_t> hashes;     // [rows] of the numbers; 0 where they are all equal
  std::vector<std::int64_t> file_begin;  // of each file, its first row
  std::vector<std::string> shown;        // of each file
  bool is_json = false;
  std::string content;  // hash of the files' bytes

  /// "FILE:LINE", or "FILE: row 12".
  std::string place(std::int64_t row) const;
};

/// Reads all files once. Files have the same columns, widths, and kinds of labels, IDs and groups. Throws RequestError;
/// Interrupted where the process is asked to stop.
TableRows read_tables(const features::ExternalOptions& options);

}  // namespace timbre::data
