// Hashes of the clips' files, and whether files change while they are used.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "data/feature_store.hpp"

namespace timbre::data {

/// Size and times of a file: when they differ, it is no longer the one that was hashed.
struct FileStamp {
  bool there = false;
  std::uint64_t device = 0, number = 0;
  std::int64_t size = 0, seconds = 0, nanoseconds = 0;
  bool operator==(const FileStamp&) const = default;
};

/// Of each clip; empty for synthetic ones.
struct ClipContents {
  std::vector<std::string> hashes;
  std::vector<FileStamp> stamps;
};

/// Reads every file once.
ClipContents read_contents(const ClipIndex& index, ThreadPool& pool, const ExtractionHooks& hooks);

/// The key speaks of the files as they were hashed: rows of others must not be stored under it. Throws Error.
void require_unchanged(const ClipIndex& index, const ClipContents& contents);

/// The key of the features (feature_store.hpp says what it hashes), as 32 hexadecimal digits.
std::string key_of(const ClipIndex& index, const DatasetOptions& dataset,
                   const features::FeatureOptions& options, const std::vector<std::string>& hashes);

/// Adds a note about clips that are the same file under several names.
void note_replicas(const ClipIndex& index, const std::vector<std::string>& hashes,
                   std::vector<std::string>& notes);

}  // namespace timbre::data
