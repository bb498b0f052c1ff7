// From runs to figures: configurations, families, the chosen configuration of each, and which models differ.
//
// Means and spreads are over the scored runs of a configuration (seeds, folds). Accuracies and gaps are
// shares, not percent.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "evaluation/statistics.hpp"
#include "report/inference.hpp"
#include "report/report.hpp"
#include "report/run_summary.hpp"
#include "report/spread.hpp"

namespace timbre::report {

/// The figures of a chosen configuration, over its runs.
struct Detail {
  std::vector<std::int32_t> confusion;  // [C, C], clips summed over runs, rows true
  evaluation::PerClass per_class;       // of that matrix
  /// Of clips, and of segments. Figures are means over runs, each of which has its own: errors of several runs would
  /// cancel where they are pooled, as they do in the bins, which are all runs together.
  struct Calibrated {
    std::vector<evaluation::Reliability::Bin> bins;
    double error = 0, null = 0, brier = 0;  // expected calibration error; what a calibrated model would show
  } clips, segments;
};

struct Configuration {
  std::string name;                 // "l2 1e-4, dropout 0.2"; empty where a family has one
  std::vector<std::size_t> runs;    // into Analysis::runs
  std::vector<std::size_t> values;  // of each axis of the family, into its texts
  std::int64_t scored = 0, diverged = 0, unfinished = 0;
  Spread val_clip, val_segment, val_macro_f1, val_loss, train_accuracy, gap;
  double epochs = 0, best_epoch = 0, stopped_early = 0, train_seconds = 0,
         predict_seconds = 0;  // means over scored runs
  std::int64_t parameters = 0, trainable_parameters = 0;
  bool train_measured = false;      // with the kept weights, dropout off, in every run
  Spread difference;                // validation clip accuracy minus the reference's, over common repetitions
  std::optional<TestFigures> test;  // of chosen and reference only
};

/// The effect of a value of an axis against its first value, see effects.hpp.
struct Effect {
  std::size_t value;
  std::int64_t pairs = 0;  // of configurations
  Spread clip, loss, gap;  // differences
};

struct Axis {
  std::string key, name;           // "regularisation.l2", "l2"
  std::vector<std::string> texts;  // its values: numbers ascending, others as they came
  std::vector<Effect> effects;
};

/// The choice of one split, see selection.hpp.
struct SplitChoice {
  std::int32_t split;
  std::size_t configuration;
  std::vector<std::size_t> runs;
};

/// A baseline on the test clips of what was selected.
struct BaselineFigures {
  std::string name;
  std::int64_t parameters = 0;
  std::int64_t unconverged = 0;  // runs whose fit ended before its tolerance
  TestFigures test;
  Comparison lead;  // selected minus baseline
};

/// A setting that parts the families of one experiment.
struct Parting {
  std::string key, name, text;  // "split.group_by", "group_by", "artist"
};

/// Configurations that may be ranked against each other.
struct Family {
  std::string experiment, name;          // the name: "lstm", "lstm (group_by artist)"
  std::vector<std::string> label_names;  // sorted
  bool synthetic = false, leaks = false;
  std::string data;  // which data set: "synthetic", the folder's or manifest's name; see grouping.hpp
  std::vector<Parting> parted_by;  // empty where the experiment has one family
  std::string apart;               // the experiment's other families, and why none is ranked with this one
  std::vector<Axis> axes;
  std::vector<Configuration> configurations;
  std::optional<std::size_t> reference;  // absent where there is none among several configurations
  std::optional<std::size_t> chosen;     // by the mean over all repetitions; absent where no run was scored
  bool chosen_diverged = false;          // every configuration has runs that diverged
  bool nested = false;                   // each split chose for itself: `choices`
  std::vector<SplitChoice> choices;
  Configuration selected;                       // what was tested: the chosen, or of each split its choice
  std::optional<Detail> detail;                 // of the selected
  std::optional<Comparison> against_reference;  // selected minus reference
  std::vector<BaselineFigures> baselines;
};

/// A clip that every chosen configuration got wrong whenever it was tested.
struct WrongClip {
  std::string path;
  std::int32_t label = 0;
  std::vector<std::vector<std::int32_t>> taken_for;  // of each family compared, what it was taken for, by run
};

struct Analysis {
  std::vector<RunSummary> runs;
  std::vector<Failure> unreadable;  // files left out
  bool references_named = false;    // else they are the first configurations
  std::vector<Family> families;
  std::vector<Comparison> comparisons;
  std::vector<std::size_t> wrong_families;  // whose chosen configurations wrong_clips speaks of
  std::vector<WrongClip> wrong_clips;
  std::int64_t tested_by_all = 0;   // clips that these all were tested on
  std::int64_t tests = 0;           // p-values that Holm's correction is over
  std::vector<std::string> copies;  // files that are the same run as another one here
  std::int64_t configurations() const;
};

/// Reads and computes everything. Errors as write_report.
Analysis analyse(const std::vector<std::filesystem::path>& results, const Options& options);

}  // namespace timbre::report
