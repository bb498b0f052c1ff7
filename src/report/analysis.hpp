// From runs to figures: configurations, families, which configuration is chosen, and what can be told apart.
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
#include "report/report.hpp"
#include "report/run_summary.hpp"
#include "report/spread.hpp"

namespace timbre::report {

/// Test figures of one configuration.
struct TestFigures {
  Spread clip, segment, macro_f1;        // macro F1 of clips
  evaluation::Interval clips;            // 95%, over clips: see clip_interval()
  bool bootstrap = false;                // else Wilson's
  std::int64_t tested = 0, answers = 0;  // distinct clips; clips counted once per run
};

/// What is shown of a chosen configuration, over its runs.
struct Detail {
  std::vector<std::int32_t> confusion;  // [C, C], clips summed over runs, rows true
  evaluation::PerClass per_class;       // of that matrix
  evaluation::Reliability reliability;  // of test segments, all runs together
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
  Spread difference;                // validation clip accuracy minus the reference's, over common repetitions
  std::optional<TestFigures> test;  // of chosen and reference only
};

struct Axis {
  std::string key, name;           // "regularisation.l2", "l2"
  std::vector<std::string> texts;  // its values: numbers ascending, others as they came
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
  std::vector<Parting> parted_by;  // empty where the experiment has one family
  std::string apart;               // the experiment's other families, and why none is ranked with this one
  std::vector<Axis> axes;
  std::vector<Configuration> configurations;
  std::optional<std::size_t> reference;   // absent where there is none among several configurations
  std::optional<std::size_t> chosen;      // absent where no run was scored
  bool chosen_diverged = false;           // every configuration has runs that diverged
  std::optional<Detail> detail;           // of the chosen
  std::optional<Spread> test_difference;  // chosen minus reference, over common repetitions
  double test_p = 1;                      // exact sign test over clips of the same
};

/// Two chosen configurations on the same test clips.
struct Comparison {
  std::size_t first = 0, second = 0;  // families
  std::string not_compared;           // why not; the rest is empty then
  std::int64_t first_better = 0, second_better = 0, clips = 0;
  double p_value = 1, adjusted = 1;  // exact; Holm's over all comparisons
  Spread difference;                 // first minus second, over common repetitions
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
  std::int64_t tested_by_all = 0;  // clips that these all were tested on
  std::int64_t configurations() const;
};

/// Reads and computes everything. Errors as write_report.
Analysis analyse(const std::vector<std::filesystem::path>& results, const Options& options);

/// The interval of a test accuracy over clips. With several runs: clips are drawn with replacement, each with
/// all its answers (one per run that tested it), and the figure is right answers / answers; 2000 draws,
/// percentiles. With one run, or where all answers are alike: Wilson's interval.
void clip_interval(const std::vector<const Scores*>& tests, TestFigures& figures);

/// Exact sign test over clips between two models: a clip counts for the one that got it right in more of the
/// common repetitions, for none where they are even; with one repetition this is McNemar's exact test. pairs:
/// runs tested on the same clips. Fills first_better, second_better, clips, p_value and difference.
Comparison compare_on_clips(const std::vector<std::array<const RunSummary*, 2>>& pairs);

}  // namespace timbre::report
