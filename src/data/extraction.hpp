// Clips to rows of features, over the threads of a pool (used by feature_store.cpp).
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "audio/waveform.hpp"
#include "data/feature_store.hpp"
#include "data/store_files.hpp"

namespace timbre::data {

/// What a copy of the data set does to its segments (waveform_copies.hpp).
struct WaveformCopy {
  const audio::WaveformOptions& options;
  std::uint32_t number;
  const std::vector<std::string>& hashes;  // of each clip's file; empty for synthetic ones
};

/// The rows of every clip, waiting on disk.
class Extraction {
 public:
  struct ClipRows {
    std::int64_t count = 0;  // 0: a bad file
    std::string reason;      // of a bad file
    int thread = 0;          // whose spill file
    std::int64_t first = 0;  // float in it
  };

  /// Extracts all clips. Spill files go to `folder`. With `stop_at_bad` the work ends at the first bad file, which
  /// is then the one of lowest index that is bad; later clips may be missing.
  Extraction(const ClipIndex& index, const DatasetOptions& dataset, const features::FeatureOptions& options,
             const std::filesystem::path& folder, ThreadPool& pool, const ExtractionHooks& hooks,
             bool stop_at_bad, const WaveformCopy* copy = nullptr);

  const std::vector<ClipRows>& clips() const { return clips_; }
  /// Rows [first, first + n) of a clip, n = out.size() / row size.
  void read(std::size_t clip, std::int64_t first, std::span<float> out) const;

 private:
  struct Worker {
    std::unique_ptr<features::FeatureEngine> engine;
    std::unique_ptr<SpillFile> spill;
    SegmentBuffers buffers;
  };
  std::int64_t row_size_;
  std::vector<ClipRows> clips_;
  std::vector<Worker> workers_;
};

/// Why a clip of `samples` gives no segment.
std::string too_short(std::int64_t samples, std::int64_t segment_samples, double segment_seconds,
                      int sample_rate);

/// Throws RequestError where synthetic clips are asked for at another rate than theirs.
void require_synthetic_rate(const ClipIndex& index, const features::FeatureOptions& options);

/// Throws Error naming the first bad file where on_bad_file is error; RequestError where a class is left without clips.
void require_good_clips(const FeatureTable& table, const DatasetOptions& dataset);

}  // namespace timbre::data
