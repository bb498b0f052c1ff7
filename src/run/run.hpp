// One run: from a configuration to a result file.
//
// The folder of a run holds config.yaml (resolved), run.log, checkpoint.h5 while it is under way, and result.h5
// at its end. Its key names what the result depends on: the configuration, the data's content, the split.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "data/feature_store.hpp"
#include "data/standardise.hpp"
#include "data/survey.hpp"
#include "run/initial_weights.hpp"
#include "run/run_config.hpp"
#include "run/watcher.hpp"

namespace timbre::storage {
class ClaimWatch;
}

namespace timbre::run {

struct RunOptions {
  std::optional<std::filesystem::path> folder;  // absent: runs/<experiment>/<key>
  std::filesystem::path runs = "runs";          // where runs and the feature store go
  bool force = false;                           // run again what is finished
  bool restart = false;                         // do not go on from a checkpoint
  std::string device = "";         // instead of the plan's; the result does not tell it from its like
  int threads = 0;                 // 0: one per core
  double checkpoint_seconds = 60;  // between checkpoints while training
  std::optional<std::int64_t>
      feature_bytes;  // larger features stay on disk; absent: half of the free memory. Where `features` are
                      // given, copies of the sound always stay there
  std::string by = "run_experiment", why = "this run";  // who looks at the test part, for its ledger
  bool sealed = false;  // the test part is not looked at: see unseal (scoring.hpp)
  std::shared_ptr<const data::FeatureSet> features;  // of this plan, found before: a study's runs share them
  storage::ClaimWatch* claims =
      nullptr;  // what is known of claims of others; absent: one of another machine is watched
};

/// A configuration with its clips and its model, before any training.
struct Plan {
  RunConfig config;
  data::ClipIndex clips;
  nn::Model model;
  std::int64_t segment_samples;
  std::shared_ptr<const data::Survey> survey;     // of the clips, where it was made before
  std::shared_ptr<const InitialWeights> initial;  // of initialise_from, if any
};

/// Reads the data set's index (unless it is given) and builds the model; what is wrong with a request is found here.
Plan make_plan(RunConfig config, const data::ClipIndex* known = nullptr);

/// What a run's configuration asks for, seed and split included, names and places left out, as 32 hexadecimal digits: two
/// runs of one data set with the same ones are the same run.
std::string configuration_key(const Plan& plan);

/// The resolved configuration as YAML, every default written out.
std::string resolved_yaml(const Plan& plan);

/// What --dry-run shows: configuration, model, clips that cannot be used, and the split that the run will have. Throws
/// what the run would throw before it trains.
std::string describe_plan(const Plan& plan, const data::Survey& survey);

/// Finds the features of a plan in the store, or extracts them into it, on the plan's device, and says so.
data::FeatureTable prepare_plan_features(const Plan& plan, const RunOptions& options, ThreadPool& pool,
                                         Watcher& watcher);
/// The same, read into memory where they fit (RunOptions::feature_bytes), else `features` is empty; with what is
/// related among the clips, from `survey` where it is given.
data::FeatureSet load_plan_features(const Plan& plan, const RunOptions& options, ThreadPool& pool,
                                    Watcher& watcher, std::shared_ptr<const data::Survey> survey = nullptr);

/// What a result depends on, as one number: the configuration, the data's content, the rows of the split. Two data sets
/// in different places with the same songs give the same key.
std::string run_key(const Plan& plan, const data::FeatureTable& features);
/// The same of a split that is known.
std::string run_key(const Plan& plan, const data::FeatureTable& features, const data::Split& split);
/// The key of the run a folder holds, or "" where it holds none.
std::string folder_key(const std::filesystem::path& folder);

struct RunOutcome {
  std::filesystem::path result;
  bool finished_before = false;  // nothing was done: the result was there
  bool diverged = false;
  std::string message;  // why it diverged
  std::int64_t epochs_run = 0, weights_epoch = 0;
  double validation_accuracy = 0;  // per clip; NaN where it diverged
};

/// Trains, evaluates and writes DIR/result.h5. All lines also go to run.log. Throws Interrupted after a checkpoint.
RunOutcome execute(const Plan& plan, const RunOptions& options, Watcher& watcher);

}  // namespace timbre::run
