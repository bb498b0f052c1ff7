// Features that another program computed: `features: {external: {...}}` of a configuration.
//
// A table gives rows of numbers, with the label and the ID of each (data/tables/table.hpp says what files may hold). Rows
// of one ID are one clip.
//   rows: segments   each row is a segment of its clip, as one of audio is (the default)
//   rows: clips      each row is a clip; an ID that comes twice is an error
//   rows: frames     the rows of a clip, in their order, are the frames of one sequence
// A segment's features are [frames, width]; longer ones are cropped at their end, shorter ones padded there. `summary`
// replaces the frames by their mean, their deviation (of n) or both, one after the other: [1, width or 2 width].
// Errors: RequestError with the place of the value.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "config/forward.hpp"

namespace timbre::features {

/// One file, or several whose rows follow each other.
struct TableFiles {
  std::vector<std::filesystem::path> paths;
  static TableFiles from(const config::Reader& reader);
  static config::Type describe();
  config::Node dump() const;
};

struct ExternalOptions {
  TableFiles file;
  std::optional<std::string> format;    // csv | npy | npz | hdf5 | json; absent: by the file's ending
  std::vector<std::string> columns;     // of CSV, that are features; empty: all that are nothing else
  std::vector<std::string> drop;        // of CSV, that are not used
  std::optional<std::string> features;  // the array, data set or key that holds the features
  std::optional<std::string> labels, ids, groups;  // columns, arrays or data sets
  std::vector<std::string> label_names;            // of labels that are numbers from 0
  std::optional<std::string> separator;            // of CSV
  std::string rows = "segments";                   // segments | clips | frames
  std::optional<int> rows_per_clip;  // where there are no IDs: so many rows, one after the other, are a clip
  std::optional<int> frames;         // absent: as many as the longest has; filled in by the plan
  std::string pad = "constant";      // constant | repeat
  std::vector<std::string> summary;  // mean, std
  std::optional<int> width;          // of a frame; filled in by the plan
};
const config::Schema<ExternalOptions>& schema(config::of<ExternalOptions>);

/// Text that differs where the same files would give other rows.
std::string extraction_key(const ExternalOptions& options);

/// What a model on such features asks for, in words: "rows of 57 numbers, as features_30_sec.csv has them".
std::string needs(const ExternalOptions& options);

}  // namespace timbre::features
