// What test figures show: their intervals over clips, and whether two models differ.
//
// Clips of one artist, speaker or other group are alike. Where groups are known (results keep them per clip), groups
// are drawn and have their signs flipped. Else the units are the folds of a cross-validation, if each clip is tested in one of
// them. Else they are clips, copies and near duplicates as one.
//
// "Better" needs two things: the paired interval over splits or seeds (spread.hpp) leaves out zero, and the test by signs over
// the units (evaluation/paired.hpp) has Holm's p below 0.05, over all tests of the report. The sign of the mean difference
// says which is better. Everything else is undecided; the report then gives the smallest difference that could have been found.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "report/run_summary.hpp"
#include "report/spread.hpp"

namespace timbre::report {

/// Test figures of one configuration.
struct TestFigures {
  Spread clip, segment, macro_f1;        // macro F1 of clips
  Spread loss;                           // of segments
  evaluation::Interval clips;            // 95%, over units: see clip_interval()
  bool bootstrap = false;                // else Wilson's
  std::string unit = "clip";             // group | clip
  std::int64_t units = 0;                // distinct
  std::int64_t tested = 0, answers = 0;  // distinct clips; clips counted once per run
  double chance = 0;                     // share of the commonest class among the test clips, mean over runs
};

/// The interval of a test accuracy over units (groups, where they are known, or clips). With several runs, or groups: units
/// are drawn with replacement, each with all its answers (one per clip and run that tested it), and the figure is right
/// answers / answers; 2000 draws, percentiles. With one run by clips, or where all answers are alike: Wilson's interval.
void clip_interval(const std::vector<const RunSummary*>& runs, const std::vector<const Scores*>& tests,
                   TestFigures& figures);

/// All of them. tests [i]: of runs [i].
TestFigures test_figures(const std::vector<const RunSummary*>& runs, const std::vector<const Scores*>& tests);

enum class Verdict { undecided, first, second };

/// Two models on the same test clips.
struct Comparison {
  std::size_t first = 0, second = 0;  // families
  std::string not_compared;           // why not; the rest is empty then
  std::string unit = "clip";          // group | fold | clip
  std::int64_t units = 0, first_better = 0,
               second_better = 0;    // distinct; on which one had more right than the other
  std::int64_t clips = 0;            // distinct
  double p_value = 1, adjusted = 1;  // by signs over units; Holm's over all tests
  double least = 1;                  // the least p-value that so many units can give
  Spread difference;                 // first minus second, over common repetitions
  std::int64_t balance = 0;          // right answers of the first minus the second's
  double detectable = 0;  // smallest difference that is found in four of five cases; NaN: none ever is
  Verdict verdict() const;
};

/// The answers of two models, in one run each on the same clips.
struct Pair {
  const RunSummary* run;  // of the first: its split and groups
  const Scores *first, *second;
};
Comparison compare_on_clips(const std::vector<Pair>& pairs);

/// Fills `adjusted` of all of them.
void adjust(const std::vector<Comparison*>& tests);

}  // namespace timbre::report
