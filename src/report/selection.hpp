// Which configuration of a family is chosen, by validation alone; and whose test parts that makes worth a look.
//
// Where seeds or folds have splits of their own, test clips of one split are training or validation clips of others: a
// configuration chosen by the mean over all splits has seen, through them, what it is tested on. So each split chooses for
// itself, c*(s) = the best of its validation part, and the figure is the mean over splits of test_s(c*(s)): what the
// procedure "train all, keep the best" gives. Where there is one split, the mean over its seeds chooses, and the test
// clips took no part.
//
// The best has the largest mean validation clip accuracy. Ties go to the lower mean validation loss, then to what is scored
// already, then to the first. Only configurations that did not diverge, and have as many repetitions as any, take part:
// the mean of fewer is more easily a lucky one, and that of others is of other clips. If there are none, all take part.
#pragma once

#include <filesystem>
#include <vector>

#include "report/analysis.hpp"

namespace timbre::report {

/// Fills chosen, chosen_diverged, nested, choices and selected (its name and runs).
void choose(const std::vector<RunSummary>& runs, Family& f);

/// A run that validation chose, and why it is scored.
struct Chosen {
  std::filesystem::path file;
  std::string why;  // "chosen on validation among 12 configurations of lstm"
  bool sealed;      // its test part was not looked at yet
};
/// Of all families. Nothing of any test part decides.
std::vector<Chosen> chosen_runs(const Analysis& a);

}  // namespace timbre::report
