// What a run leaves behind: one struct, and result.h5 as its form on disk (also a model that Keras loads: see
// keras_layout.hpp).
//
//   root attributes   schema = "timbre-run", schema_version, experiment, key, seed, device, version, status,
//                     message, best_epoch, weights_epoch, epochs_run, stopped_early, parameters,
//                     trainable_parameters, train_seconds, predict_seconds, synthetic
//   /config           the resolved YAML;  /environment  text attributes;  /label_names
//   /features         {mean, std} float32 [F], if standardised
//   /history          {epoch int32, loss, accuracy, val_loss, val_accuracy, learning_rate, seconds float64}, and of
//                     {gradient_norm, val_clip_accuracy, val_macro_f1} what the run recorded (training/history.hpp)
//   /split            see split_record.hpp
//   /validation, /test  row i is row split[i]: probabilities float32 [N, C]; label, prediction, segment int32
//                     [N]; clip int32 [N], position in clips/*; attributes accuracy, loss, macro_f1;
//                     clips/{probabilities, label, prediction, path}, attributes accuracy, macro_f1; of the test
//                     also clips/{heard, group} int32 [K] (absent from results of earlier versions);
//                     confusion int32 [C, C] rows true; per_class/{precision, recall, f1} float64 [C]
//   /train, /baselines, /ledger   see scores_record.hpp
//   /bad_files        {path, reason}
//   /segments         attributes clips, segments, and how often clips were padded, dropped or cut (data/segments.hpp);
//                     where dataset.segment says how
// /test and /baselines are absent where the test part is sealed: a study has not chosen this run, or not yet.
//
// The same record gives the same bytes; the only times in it are durations.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "data/bad_file.hpp"
#include "data/segments.hpp"
#include "evaluation/metrics.hpp"
#include "results/keras_layout.hpp"
#include "results/scores_record.hpp"
#include "results/split_record.hpp"
#include "storage/door.hpp"
#include "training/trainer.hpp"

namespace timbre::results {

inline constexpr std::int64_t schema_version = 1;
inline constexpr const char* schema_name = "timbre-run";

/// One value per epoch.
struct HistoryRecord : training::History {
  std::vector<std::int32_t> epoch;  // from 1
};

/// A model's probabilities on one part of the split, and everything that follows from them.
struct Evaluation {
  std::vector<float> probabilities;                            // [N, C]
  std::vector<std::int32_t> label, prediction, clip, segment;  // [N]; clip: position in clips.*
  double accuracy = 0, loss = 0, macro_f1 = 0;                 // of segments
  std::vector<std::int32_t> confusion;                         // [C, C], segments, rows true
  evaluation::PerClass per_class;                              // of segments
  struct Clips {
    std::vector<float> probabilities;             // [K, C], means over segments
    std::vector<std::int32_t> label, prediction;  // [K]
    std::vector<std::string> path;                // [K], relative to the data set
    std::vector<std::int32_t> heard;              // [K] or empty: data::Exposure to the training part
    std::vector<std::int32_t> group;  // [K] or empty: clips of one artist, or related, share a number
    double accuracy = 0;              // the headline
    double macro_f1 = 0;
  } clips;

  std::int64_t rows() const { return static_cast<std::int64_t>(label.size()); }
  std::int64_t classes() const {
    return label.empty() ? 0 : static_cast<std::int64_t>(probabilities.size() / label.size());
  }
};

/// All figures of an Evaluation. probabilities [N, C]; label, clip, segment [N], N >= 1; clip indexes
/// clip_paths, the paths of all clips of the data set. Throws std::invalid_argument where they do not fit
/// together.
Evaluation evaluate(std::span<const float> probabilities, std::span<const std::int32_t> label,
                    std::span<const std::int32_t> clip, std::span<const std::int32_t> segment,
                    const std::vector<std::string>& clip_paths);

struct RunRecord {
  std::string experiment, key;
  std::int64_t seed = 0;
  std::string device = "cpu";       // cpu | cuda
  std::string version;              // empty: this library's, filled in on writing
  std::string status = "finished";  // finished | interrupted | diverged
  std::string message;              // why it diverged
  std::int64_t best_epoch = 0, weights_epoch = 0, epochs_run = 0;  // epochs count from 1
  bool stopped_early = false;
  std::int64_t parameters = 0, trainable_parameters = 0;
  double train_seconds = 0, predict_seconds = 0;
  bool synthetic = false;
  std::string config;  // resolved YAML
  Notes environment;   // see environment.hpp
  std::vector<std::string> label_names;
  std::vector<float> feature_mean, feature_std;  // [F]; empty: not standardised
  HistoryRecord history;
  SplitRecord split;
  std::optional<Evaluation> validation,
      test;  // absent where the run did not get that far; test: or is sealed
  ScoresRecord scores;
  std::vector<data::BadFile> bad_files;
  std::optional<data::SegmentCounts> segments;  // where dataset.segment says how clips are cut
  std::string model_config;                     // JSON, see keras_layout.hpp; empty: no model
  std::vector<WeightTensor> weights;            // in Keras's order
};

/// Writes the file whole or not at all. Throws Error.
void write_result(const std::filesystem::path& path, const RunRecord& record);

/// Throws RequestError (not there, not a result, of a newer schema_version) or Error (damaged, naming what
/// does not fit; storage::Damaged where its checksum does not). `weights`: whether the model's weights are read too.
/// `trust`: without any, the file is a stranger's, and another process reads it (storage/door.hpp).
RunRecord read_result(const std::filesystem::path& path, bool weights = true,
                      const storage::Trust& trust = {});
/// The same for many results, which one process reads.
using ResultReader = std::function<RunRecord(const std::filesystem::path&)>;
ResultReader result_reader(bool weights, const storage::Trust& trust = {});
/// What the process that reads does: the same, in this process, whatever the file's checksum.
RunRecord read_result_here(const std::filesystem::path& path, bool weights = true);

/// Whether the file is an HDF5 file with this schema's name, of any version.
bool is_result(const storage::H5File& file);
/// The same of a file by its name; false where it is no HDF5 file at all.
bool is_result_file(const std::filesystem::path& path, const storage::Trust& trust = {});

}  // namespace timbre::results
