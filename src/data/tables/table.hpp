// Tables of features from elsewhere, read row by row.
//
//   CSV    a line of column names, then a row a line (csv_table.cpp): RFC 4180 with , ; tab or |, quotes, LF, CRLF or CR,
//          a byte order mark
//   NPY    one array [rows, width] or [rows, frames, width]; labels and ids are NPY files beside it, named by their names
//   NPZ    the same arrays in one zip file, stored or deflated
//   HDF5   data sets, or a file of Timbre's own (feature_store.hpp), whose clips are known
//   JSON   {"mapping": [genre...], "labels": [...], "mfcc": [[[...]...]...]}, as the original's extract_data.py wrote it
//
// Numbers are float32, <f4 <f8 and whole numbers of NumPy's arrays are converted; each must be finite. Memory grows with the
// number of rows (their labels and IDs), not with their features, except for HDF5, whose features are read by a child
// process as a whole (storage/door.hpp). Files are not trusted: sizes are compared with what the file holds.
// Errors are RequestError, one line: "FILE:LINE:COLUMN: column 'tempo': ..." of text, "FILE: array 'X': row 12: ..." of arrays.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "features/external.hpp"

namespace timbre::data {

/// A table without its features.
struct Table {
  std::int64_t rows = 0, width = 0;      // width: of a frame
  std::vector<std::int32_t> frames;      // [rows], or a single number for all of them
  std::vector<std::string> ids;          // [rows], or empty
  std::vector<std::int32_t> label;       // [rows], index into label_names; or empty
  std::vector<std::string> label_names;  // in the order in which they were met
  std::vector<std::string> groups;       // [rows], or empty
  std::vector<std::int32_t> lines;       // [rows] of text files; or empty
  std::vector<std::string> columns;      // of CSV, names of the features
  std::vector<std::string> notes;        // for the person, one line each

  std::int64_t frames_of(std::int64_t row) const {
    return frames.size() == 1 ? frames.front() : frames[std::size_t(row)];
  }
};

/// Takes the features of the next row, [frames, width].
using TakeRow = std::function<void(std::span<const float>)>;

/// Reads one file of `options`. Throws RequestError.
Table read_table(const features::ExternalOptions& options, const std::filesystem::path& file,
                 const TakeRow& take);

/// The format of a file by its ending, or as the options say. Throws RequestError where neither tells.
std::string table_format(const features::ExternalOptions& options, const std::filesystem::path& file);

// Of each format; used by read_table.
Table read_csv_table(const features::ExternalOptions& options, const std::filesystem::path& file,
                     const TakeRow& take);
Table read_npy_table(const features::ExternalOptions& options, const std::filesystem::path& file,
                     const TakeRow& take);
Table read_npz_table(const features::ExternalOptions& options, const std::filesystem::path& file,
                     const TakeRow& take);
Table read_hdf5_table(const features::ExternalOptions& options, const std::filesystem::path& file,
                      const TakeRow& take);
Table read_json_table(const features::ExternalOptions& options, const std::filesystem::path& file,
                      const TakeRow& take);

/// Limits of what a table may claim.
inline constexpr std::int64_t most_table_rows = 2'000'000'000, most_table_columns = 65'536;

/// Numbers for labels, in the order in which they are met.
class LabelNumbers {
 public:
  explicit LabelNumbers(Table& table) : table_(table) {}
  /// `place` begins the message where there are too many to be labels.
  void add(std::string_view name, const std::function<std::string()>& place);

 private:
  Table& table_;
  std::string last_;
  std::int32_t last_number_ = -1;
};

}  // namespace timbre::data
