// A file of features: its layout (feature_store.hpp), written and read.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "data/feature_store.hpp"
#include "storage/atomic_file.hpp"

namespace timbre::data {

/// Gives the next rows of the features, one span at a time, to what it is called with.
using RowGiver = std::function<void(const std::function<void(std::span<const float>)>& take)>;

/// Writes a file of features, whole or not at all. `dataset_path`: the folder or manifest, where the file names it.
/// Returns where row 0 begins in it, in bytes. Throws Error where the disk refuses.
std::int64_t write_feature_layout(storage::AtomicFile& target, const FeatureTable& table,
                                  const DatasetOptions& dataset, const features::FeatureOptions& options,
                                  const std::optional<std::filesystem::path>& dataset_path,
                                  const RowGiver& rows);

/// Rows read or written at a time.
std::int64_t rows_at_once(std::int64_t row_size);

/// Where features are read to, if they are no larger than `largest` bytes.
struct Destination {
  std::vector<float>* features;
  std::int64_t largest;
};

/// Fills the table (and the features, if asked for) from a store file. Throws Error where the file is not what its
/// name says; the index tells what must be in it.
void read_store(const std::filesystem::path& path, const ClipIndex& index, FeatureTable& table,
                const Destination* destination, const ExtractionHooks& hooks);

}  // namespace timbre::data
