// Features of changed copies of a data set's segments (audio/waveform.hpp), and rows of a data set with its copies.
//
// Copy k of the data set has the rows of the data set itself, in the same order, each computed from the changed samples of its
// segment. So row r of copy k is row r + k N of all N rows and their copies: a copy belongs to its segment, and stands in no part
// of a split that its segment is not in. The copies of every segment are made, once for all seeds, splits and folds, and
// training takes those of its own rows.
// The store's key of a copy hashes that of the data set, the options and the number of the copy; the changes depend on the
// content of the clip (its path, where it is synthetic), the number of the segment and of the copy, and on no seed of a run.
// Errors: those of the store (feature_store.hpp).
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "audio/waveform.hpp"
#include "data/feature_store.hpp"
#include "data/row_source.hpp"

namespace timbre::data {

/// Finds or extracts copy `copy` (1 to options.copies); as load_features.
FeatureSet load_copy(const audio::WaveformOptions& waveform, int copy, const ClipIndex& index,
                     const DatasetOptions& dataset, const features::FeatureOptions& options,
                     const std::filesystem::path& store_folder, ThreadPool& pool,
                     const ExtractionHooks& hooks, std::int64_t largest_bytes);

/// Rows of several sources of as many rows each, one source after the other.
class RowsWithCopies final : public RowSource {
 public:
  explicit RowsWithCopies(std::vector<std::unique_ptr<RowSource>> sources) : sources_(std::move(sources)) {}
  std::int64_t rows() const override { return each() * std::ssize(sources_); }
  std::int64_t width() const override { return sources_.front()->width(); }
  void prefetch(std::span<const std::int32_t> rows) const override;

 private:
  std::int64_t each() const { return sources_.front()->rows(); }
  void fetch(std::int32_t row, float* out) const override;
  std::vector<std::unique_ptr<RowSource>> sources_;
};

/// Rows and those of their copies: r + k rows_of_one, k = 0 .. copies.
std::vector<std::int32_t> with_copies(const std::vector<std::int32_t>& rows, std::int64_t rows_of_one,
                                      std::int64_t copies);

}  // namespace timbre::data
