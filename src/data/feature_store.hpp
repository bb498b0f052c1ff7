// Features of a whole data set, extracted once and kept.
//
// The store is a folder of files <key>.h5, or <key>-<device>.h5 for what another device than the CPU computed. The
// key hashes what the numbers depend on: the options of extraction and their version, the samples of a segment, and
// each clip's path, label and content; so a store never has to be told that something changed. Devices agree within
// the tolerances and have one key, so a run can go on on another; but not one file, so that the same command gives
// the same bytes whatever ran before. A file is there whole or not at all, carries a checksum (storage/seal.hpp; those of
// earlier versions have one of the features alone), and is made again (with a note) where it is damaged.
//
// Layout of a store file and of what extract_features writes:
//   /features float32 [N, T, F]   /label, /clip, /segment int32 [N]   /clips/{path,label,group}   /label_names
//   /clips/{column_names,columns}  of a manifest's further columns; columns: row by row, clip by clip
//   /bad_files/{path,reason}      every parameter as a root attribute, and `device`: where they were computed
// Rows stand in the order of clips, then of segments, for any number of threads.
//
// Memory does not grow with the data while they are extracted: every thread holds a batch of segments and appends
// rows to a nameless temporary file, from which they are copied in order.
// Errors: Error naming the first bad file where on_bad_file is error; RequestError where a class is left without
// clips.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include "audio/decode.hpp"
#include "core/parallel.hpp"
#include "core/shape.hpp"
#include "data/bad_file.hpp"
#include "data/clips.hpp"
#include "data/relations.hpp"
#include "features/engine.hpp"
#include "features/options.hpp"

namespace timbre::data {

/// Everything about the rows but the features themselves.
struct FeatureTable {
  Shape shape;                        // (T, F) of a row
  std::vector<std::int32_t> label;    // [N]
  std::vector<std::int32_t> clip;     // [N], index into clips
  std::vector<std::int32_t> segment;  // [N], number within the clip
  std::vector<Clip> clips;            // those that give rows
  std::vector<std::string> label_names;
  ManifestNames names;
  std::vector<BadFile> bad_files;  // in the order of clips
  Relations related;               // not part of the store: see survey.hpp
  SegmentCounts cuts;              // neither
  std::string key;                 // of options and content
  std::filesystem::path file;      // in the store
  std::int64_t rows_offset = 0;    // where row 0 begins in it, in bytes (row_source.hpp)
  bool from_cache = false;         // nothing had to be extracted
  bool synthetic = false;
  std::string device;              // where they were computed; "" if not known
  std::vector<std::string> notes;  // for the person, one line each
  std::int64_t rows() const { return static_cast<std::int64_t>(label.size()); }
};

struct FeatureSet : FeatureTable {
  std::vector<float> features;  // [N, T, F]; empty where they stay in the store
};

/// What an extraction tells and asks while it works (each may be empty), and where it computes.
struct ExtractionHooks {
  std::function<void(std::int64_t done, std::int64_t total)> progress;  // clips; one call at a time
  std::function<void()> check;  // called often, from any thread; throws (Interrupted) to stop
  std::string device = "cpu";   // as device::choose gave it; no part of the key, but of the file's name
};

/// Finds or extracts the features and leaves them in the store.
FeatureTable prepare_features(const ClipIndex& index, const DatasetOptions& dataset,
                              const features::FeatureOptions& options,
                              const std::filesystem::path& store_folder, ThreadPool& pool,
                              const ExtractionHooks& hooks = {});

/// The same, read into memory; features larger than `largest_bytes` are left in the store (`features` is empty then).
FeatureSet load_features(const ClipIndex& index, const DatasetOptions& dataset,
                         const features::FeatureOptions& options, const std::filesystem::path& store_folder,
                         ThreadPool& pool, const ExtractionHooks& hooks = {},
                         std::int64_t largest_bytes = std::numeric_limits<std::int64_t>::max());

/// Key of the features, as 32 hexadecimal digits. Reads every file once.
std::string content_key(const ClipIndex& index, const DatasetOptions& dataset,
                        const features::FeatureOptions& options, ThreadPool& pool,
                        const ExtractionHooks& hooks = {});

/// Copies prepared features to a file of their own, in the same layout.
void write_feature_file(const std::filesystem::path& target, const FeatureTable& table,
                        const DatasetOptions& dataset, const features::FeatureOptions& options);

/// Room for a batch of segments and their rows. Keep it from file to file: fresh memory costs more than decoding.
struct SegmentBuffers {
  std::vector<float> samples, gathered, rows;
};

/// Features of all segments of one file, in batches, with flat memory, by an engine for segments of
/// `cutting.samples`. rows [count, T, F], first: the number of the first of them. Returns the number of segments; 0
/// where the file is shorter than one, and then `samples` (if given) tells how long it is.
std::int64_t extract_file(audio::AudioReader reader, features::FeatureEngine& engine, const Cutting& cutting,
                          SegmentBuffers& buffers,
                          const std::function<void(std::span<const float> rows, std::int64_t first)>& consume,
                          std::int64_t* samples = nullptr);
/// The same of samples in memory, at the rate that the engine works at.
std::int64_t extract_samples(
    std::span<const float> samples, features::FeatureEngine& engine, const Cutting& cutting,
    SegmentBuffers& buffers,
    const std::function<void(std::span<const float> rows, std::int64_t first)>& consume);

}  // namespace timbre::data
