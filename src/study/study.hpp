// A study: one question asked of several runs, and the file that asks it (experiments/regularisation.yaml).
//
//   study: regularisation
//   base: ../configs/lstm.yaml          # or  runs: [../configs/mlp.yaml, {config: ../configs/cnn.yaml, set: {...}}]
//   set: {training.epochs: 60}          # of every run
//   axes:                               # any keys of a configuration; every combination is a configuration
//     regularisation.l2: [0, 1e-5, 1e-4]
//     training.early_stopping: [null, {patience: 20}]
//   search: {random: {runs: 20}}        # instead of all combinations that many of them, drawn once; an axis may
//                                       # then be a range: {uniform: [a, b]}, {log_uniform: [a, b]}, {integer: [a, b]};
//                                       # the base is run as well: draws have no order, so that none of them is a
//                                       # reference, and a search is asked whether it finds better than the base
//   seeds: [0, 1, 2]                    # every configuration is run with each
//   jobs: 2                             # runs side by side
//   on_error: continue                  # | stop: begin no further run after one that failed
//   slurm: {partition: gpu, time: 4:00:00}   # what its jobs ask a cluster for (cluster/slurm_options.hpp)
//
// Everything that can be wrong with a study is found before its first run. Errors: RequestError, one line with a place.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "data/clips.hpp"
#include "run/run.hpp"
#include "run/run_config.hpp"
#include "study/cluster/slurm_options.hpp"

namespace timbre::study {

struct StudyRun {
  run::RunConfig config;
  std::string name;    // "lstm l2=0.0001 dropout=0.2 seed=1"; no two are alike
  std::string folder;  // its folder's name: the name as a file may bear it, and the configuration's key
  std::size_t configuration = 0;  // runs that differ in the seed alone share it
  bool base = false;              // of a random search: what the draws are compared with
  std::size_t data = 0;           // its clips: index into Study::data
  std::size_t features = 0;       // runs with the same number see the same features, of one device
  std::vector<std::string>
      split;  // what is to be told of its clips and its split, one line each: what is skipped,
              // stamps, notes
};

/// Names the folders of a study's runs.
class RunFolders {
 public:
  /// The run's name as a file may bear it, and its configuration's key: the first 8 digits, or all of them where another
  /// run has that name already. Keys differ.
  std::string name(const std::string& run, const std::string& key);

 private:
  std::set<std::string> taken_;
};

struct Study {
  std::string name;
  std::vector<std::string> axes;  // swept keys, in the order of the file
  std::vector<StudyRun> runs;     // in the order they are begun: seed by seed, so that early results compare
  std::size_t configurations = 0;
  std::size_t feature_sets = 0;
  std::vector<data::ClipIndex> data;
  std::vector<std::shared_ptr<const data::Survey>> surveys;  // of each of data
  std::optional<int> jobs;
  bool stop_on_error = false;
  std::optional<SlurmOptions> slurm;
  bool sealed = false;  // it chooses (axes, or a search): test parts stay sealed until it has

  run::Plan plan(const StudyRun& run) const {
    auto out = run::make_plan(run.config, &data[run.data]);
    out.survey = surveys[run.data];
    return out;
  }
};

/// Reads a study and every configuration it names, and splits the clips of every run as it will. `overrides` (--set)
/// apply to every run; `seeds` replaces the file's. What surveys of clips come to is kept under `runs`; nowhere, if
/// empty. `watcher` sees them at work.
Study load_study(const std::filesystem::path& file, const std::vector<std::string>& overrides,
                 const std::vector<std::int64_t>& seeds = {}, const std::filesystem::path& runs = {},
                 int threads = 0, run::Watcher* watcher = nullptr);

}  // namespace timbre::study
