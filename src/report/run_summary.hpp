// The part of a result file that a report needs: figures and clips, no probabilities and no weights.
// Results of earlier versions lack the training part's figures, baselines and looks.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "config/node.hpp"
#include "evaluation/calibration.hpp"
#include "evaluation/statistics.hpp"
#include "results/run_record.hpp"

namespace timbre::report {

/// Values as small numbers, in the order they were seen.
template <class T>
class Numbers {
 public:
  std::int32_t number(const T& value) {
    const auto [at, added] = numbers_.try_emplace(value, static_cast<std::int32_t>(values_.size()));
    if (added) values_.push_back(&at->first);
    return at->second;
  }
  const T& value(std::int32_t number) const { return *values_[static_cast<std::size_t>(number)]; }

 private:
  std::map<T, std::int32_t> numbers_;
  std::vector<const T*> values_;
};

/// Names and sets that runs share, by number.
struct Catalogue {
  Numbers<std::string> clips;               // by path
  Numbers<std::vector<std::int32_t>> sets;  // clips of a part, parts of a split
};

/// Scores of one part of a run's split.
struct Scores {
  double clip_accuracy = 0, clip_macro_f1 = 0;  // of clips
  double accuracy = 0, loss = 0, macro_f1 = 0;  // of segments; the loss without penalties
  std::int64_t segments = 0;
  std::vector<std::int32_t> clip, label, prediction;  // one per clip; clip: a number of Catalogue::clips
  std::vector<std::int32_t> heard, group;             // one per clip or empty, see results::Evaluation::Clips
  double majority = 0;   // share of the commonest class among the clips: what guessing gets right
  std::int32_t set = 0;  // its clips and their labels (where the split leaks, its rows too), as a number of
                         // Catalogue::sets
};

/// A baseline on the test part.
struct BaselineScores {
  std::string name;  // majority | nearest_mean | logistic
  std::int64_t parameters = 0;
  bool converged = true;
  Scores test;
};

struct RunSummary {
  std::filesystem::path file;
  std::string experiment, key, device, version, status, message;
  std::string repetition;  // what tells it from the other runs of its configuration: "0", "0, fold 2"
  std::string fold;        // "2" of folds; else empty
  std::string yaml;        // resolved configuration
  config::Node settings;   // the same without experiment, device, leakage, seed, fold and places
  config::Node place;      // dataset.path or dataset.manifest
  std::string data;        // what tells clips of the same path apart: the synthetic generator's settings; the
                           // place, where data of several places bear the same names
  std::int64_t best_epoch = 0, weights_epoch = 0, epochs_run = 0;
  bool stopped_early = false, synthetic = false, leaks = false;
  std::int64_t parameters = 0, trainable_parameters = 0;
  double train_seconds = 0;
  double predict_seconds = 0;                                  // per segment; NaN where nothing was predicted
  double clip_share = 0, artist_share = 0, related_share = 0;  // of the test clips, see results::SplitRecord
  std::vector<std::string> missing;                            // classes that a part lacks
  std::vector<results::RelatedRecord> related;
  std::int32_t split = 0;  // the parts and their clips, as a number of Catalogue::sets
  std::int64_t train_segments = 0, validation_segments = 0, test_segments = 0;
  results::HistoryRecord history;
  std::optional<Scores> validation, test;
  std::vector<BaselineScores> baselines;                          // of the test part
  evaluation::Calibration clip_calibration, segment_calibration;  // of the test part
  // Of the training part, segments: with the kept weights and dropout off (measured), else as the history has it.
  double train_accuracy = 0, train_loss = 0;
  bool train_measured = false, early_stopping = false;
  std::vector<results::Look> looks;
  results::Notes environment, notes;
  std::vector<data::BadFile> bad_files;
  std::vector<std::string> label_names;

  /// The history at the epoch whose weights were kept; NaN where there is none.
  double kept(const std::vector<double> results::HistoryRecord::*column) const;
  /// Training minus validation accuracy, of segments.
  double gap() const { return train_accuracy - validation->accuracy; }
  /// Finished and validated, but not scored on the test part.
  bool sealed() const { return scored() && !test; }
  /// Whether artists, speakers or other groups of its clips are known.
  bool knows_groups() const;
  bool scored() const { return status == "finished" && validation.has_value(); }
};

/// Reads one result without its weights. Throws as results::read_result; RequestError where its configuration
/// is no YAML.
RunSummary read_run(const std::filesystem::path& file, Catalogue& catalogue,
                    const results::ResultReader& read = results::result_reader(false));

}  // namespace timbre::report
