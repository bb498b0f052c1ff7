// A survey of a data set before features are extracted: which clips can be read, how long they are, and which
// are copies or near duplicates of each other.
//
// Every file is decoded once; what it comes to (fingerprint.hpp) is kept in a folder by the hash of its bytes, so that a
// second look costs reading the files, whatever their names. A folder that cannot be written, or none, keeps nothing, and
// nothing fails for it. Synthetic clips are not surveyed: their lengths are known, and no two are made alike.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "core/parallel.hpp"
#include "data/clips.hpp"
#include "data/feature_store.hpp"
#include "data/relations.hpp"
#include "features/options.hpp"

namespace timbre::data {

struct Survey {
  struct File {
    std::string reason;       // why it cannot be read; "" where it can
    std::int64_t frames = 0;  // samples of one channel, at the file's rate
    int sample_rate = 0;      // Hz
  };
  std::vector<File> files;  // of each clip of the index; empty for synthetic ones
  Relations related;
};

Survey survey_clips(const ClipIndex& index, const std::filesystem::path& folder, ThreadPool& pool,
                    const ExtractionHooks& hooks = {});

/// How the clips will be cut.
SegmentCounts count_segments(const ClipIndex& index, const DatasetOptions& dataset, int sample_rate,
                             const Survey& survey);

/// The rows that an extraction will give, without features, key and file: what a split needs. Errors are those of the
/// extraction.
FeatureTable expected_table(const ClipIndex& index, const DatasetOptions& dataset,
                            const features::FeatureOptions& options, const Survey& survey);

}  // namespace timbre::data
