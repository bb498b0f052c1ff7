// The clips of a data set: which files there are and what they are labelled.
//
// Four kinds, which exclude each other:
//   path       a tree <genre>/<clip>.{wav,au,flac,ogg,mp3}; the genre's folder is the label
//   manifest   a CSV file with the columns path,label[,group][,fold] and any others, in any order (manifest.hpp);
//              relative paths resolve against the folder of the file
//   synthetic  made-up clips (audio/synthetic.hpp)
//   external   the clips that a table of features names (external.hpp)
//
// Labels are sorted by bytes, clips by path, so that indices do not depend on the file system.
// Errors are RequestError: where a data set is looked for and not found, how it is obtained; "FILE:LINE: ..." in
// a manifest.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "audio/synthetic.hpp"
#include "config/schema.hpp"
#include "data/labels.hpp"
#include "data/segments.hpp"

namespace timbre::data {

/// `dataset:` of a configuration.
struct DatasetOptions {
  std::optional<std::filesystem::path> path;
  std::optional<std::filesystem::path> manifest;
  std::optional<audio::SyntheticOptions> synthetic;
  double segment_seconds = 3;             // with `segment`: its length, filled in by resolve_segments
  std::optional<SegmentOptions> segment;  // absent: whole segments of segment_seconds, one behind the other
  std::optional<LabelOptions> labels;     // absent: as they are found
  std::string on_bad_file = "skip";       // skip | error
  std::optional<bool>
      external;  // the clips are those of features.external; filled in where there are no others

  /// How clips are cut, in samples (seconds * sample_rate, rounded).
  Cutting cutting(int sample_rate) const;
  /// Samples of one segment.
  std::int64_t segment_samples(int sample_rate) const { return cutting(sample_rate).samples; }
};
const config::Schema<DatasetOptions>& schema(config::of<DatasetOptions>);

struct Clip {
  std::string path;                  // relative to the data set's root, with '/'
  std::filesystem::path file;        // absolute; empty for synthetic clips
  std::int32_t label = 0;            // index into label_names
  std::string group;                 // artist; empty where unknown
  std::int32_t fold = -1;            // index into ManifestNames::folds; -1 where the manifest names none
  std::int32_t number = 0;           // of a synthetic clip, within its genre
  std::int32_t genre = 0;            // of a synthetic clip; its label before dataset.labels
  std::vector<std::string> columns;  // of the manifest's further columns
};

/// What a manifest calls its things.
struct ManifestNames {
  std::vector<std::string> columns;  // beside path, label, group and fold
  std::vector<std::string> folds;  // "0", "1", ... or "a", "b", ...; numbers ascend, other names go by bytes
};

struct ExternalRows;  // external.hpp

struct ClipIndex {
  std::filesystem::path root;
  std::vector<std::string> label_names;
  std::vector<Clip> clips;
  ManifestNames names;
  std::vector<std::string> notes;  // what was passed over, one line each
  double longest_seconds = 0;      // of its clips; where `segment:` asks for it
  bool synthetic = false;
  std::shared_ptr<const ExternalRows> external;  // where features come from a table, not from audio
};

/// Fills in what `segment:` leaves open: the length of whole clips that are as long as the longest. Throws RequestError where
/// no clip has a length.
void resolve_segments(DatasetOptions& options, const ClipIndex& index);

/// Reads the lengths of files from their heads where `segment:` needs the longest.
/// Throws RequestError: no data set, no audio in it, a single class, a wrong manifest.
ClipIndex index_clips(const DatasetOptions& options);

/// By path.
void sort_clips(ClipIndex& index);
/// Throws RequestError about `key` where there is one class alone. `where` is what holds it, for people.
void require_classes(const ClipIndex& index, const std::string& key, std::string_view where);

/// Whether a file of this name is taken for audio: .wav .au .flac .ogg .mp3, in any case, not hidden.
bool is_audio_name(std::string_view name);

/// A file name or path without its audio extension; other dots stay ("blues.00000.au" -> "blues.00000").
std::string_view without_audio_extension(std::string_view name);

}  // namespace timbre::data
