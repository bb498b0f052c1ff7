// Clips and rows of a table of features from elsewhere (features.external; tables/table.hpp reads the file).
//
// The table is read twice: once for its clips, when everything in it is checked, and once for its features, when they are
// not in the store. Rows with one ID are one clip, whose path is the ID, with its label before it where the ID has no folder;
// so lists and indices of artists match it by <genre>/<stem>. Labels are the table's, or the ID's folder. With dataset.path
// or dataset.manifest the clips, labels, groups and folds are theirs, and rows find their clip by its name.
// Without IDs so many rows in a row (rows_per_clip) are a clip; a note says so, which the result keeps.
//
// Two clips of the same numbers, sixteen at least, are copies of each other (Relations); near duplicates cannot be heard here.
// Errors: RequestError "FILE:LINE: ..." about a row, or about features.external or dataset.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/shape.hpp"
#include "data/clips.hpp"
#include "data/feature_store.hpp"
#include "data/relations.hpp"
#include "features/options.hpp"

namespace timbre::data {

/// Row i of the store is made of rows members[begin[i]], ..., members[begin[i + 1] - 1] of the table.
struct ExternalRows {
  Shape shape;                              // (T, F) of a row of the store
  std::int64_t width = 0;                   // of a frame in the table
  std::vector<std::int32_t> frames;         // of each row of the table, or a single number for all of them
  std::vector<std::int64_t> begin;          // [rows + 1]
  std::vector<std::int32_t> members;        // numbers of rows of the table
  std::vector<std::int32_t> clip, segment;  // [rows], clip: index into ClipIndex::clips
  std::int64_t table_rows = 0;
  std::vector<std::string> columns;  // of CSV, names of the features
  std::string hash;                  // of the files' bytes
  std::vector<std::string> rebuilt;  // how clips were made where the table names none: for the result
  Relations related;
  std::int64_t rows() const { return static_cast<std::int64_t>(clip.size()); }
};

/// The clips of a configuration: those of its table of features, where it has one, else those of its data set.
ClipIndex index_clips(const DatasetOptions& dataset, const features::FeatureOptions& options);

/// Fills in the shape of external features, and the names of their columns (up to 1,000, of CSV): another table is then read
/// by them, whatever the order of its columns.
void resolve_external(features::FeatureOptions& options, const ClipIndex& index);

/// Labels, clips and segments of the rows, and the clips without rows as bad ones.
void fill_rows(const ClipIndex& index, FeatureTable& table);

/// Reads the table into the store file table.file. Throws Error where the table has changed since it was indexed.
void build_external_store(const ClipIndex& index, const DatasetOptions& dataset,
                          const features::FeatureOptions& options, const ExtractionHooks& hooks,
                          FeatureTable& table);

}  // namespace timbre::data
