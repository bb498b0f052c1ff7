// The loop over epochs: shuffle, steps, validation, history, early stopping, checkpoints.
//
// The order of an epoch depends on (seed, epoch) alone, so a run that goes on from a checkpoint, in the middle
// of an epoch too, does what an uninterrupted one would have done.
#pragma once

#include <atomic>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "training/class_weights.hpp"
#include "training/early_stopping.hpp"
#include "training/history.hpp"
#include "training/schedule.hpp"
#include "training/step.hpp"

namespace timbre::training {

/// `training:` of a configuration.
struct TrainingOptions {
  std::int64_t epochs = 150;
  std::int64_t batch_size = 20;
  bool shuffle = true;
  OptimizerChoice optimizer{"adam"};
  LossChoice loss{"cross_entropy"};
  std::optional<EarlyStoppingOptions> early_stopping;
  std::optional<ScheduleChoice> schedule;                    // absent: the optimizer's rate throughout
  std::optional<double> warmup_epochs;                       // absent: none
  std::optional<ClassWeights> class_weights;                 // absent: each segment counts alike
  std::optional<GradientClippingOptions> gradient_clipping;  // absent: none, and no norm in the history
  std::optional<MovingAverageOptions> ema;                   // absent: the weights as they are
};
const config::Schema<TrainingOptions>& schema(config::of<TrainingOptions>);

/// Everything a later step of the loop depends on.
struct TrainerState {
  std::int64_t epoch = 0;  // whole epochs done
  std::int64_t batch = 0;  // batches done of the next one
  History history;
  std::int64_t best_epoch = 0, waited = 0;
  double best = 0;
  std::vector<float> best_arena;  // export_weights() of the best epoch, if they are to be restored
  double seconds = 0;             // of training so far
  double epoch_seconds = 0;       // of the epoch begun
  StepState step;
};

/// An epoch, as a watcher sees it.
struct Progress {
  std::int64_t epoch, epochs, batch, batches;
  double seconds;          // of this epoch
  const Metrics* metrics;  // of this epoch so far
};

enum class Status { finished, diverged };

struct TrainingResult {
  Status status = Status::finished;
  std::string message;  // why it diverged; "" otherwise
  History history;
  std::int64_t epochs_run = 0;
  std::int64_t best_epoch = 0;     // of the monitored value (val_loss without early stopping)
  std::int64_t weights_epoch = 0;  // whose weights the step holds now
  bool stopped_early = false;
  double seconds = 0;
};

struct TrainerHooks {
  std::function<void(const Progress&)> on_batch;                     // after each step; returns at once
  std::function<void(std::int64_t epoch, const History&)> on_epoch;  // after validation
  std::function<void(const TrainerState&)> save;                     // writes a checkpoint
  /// An optional column of the history that early stopping watches, of the scores of the validation part.
  std::function<double(const std::string& column, const TrainingStep::Scores&)> validate;
  double save_every_seconds = 60;
  const std::atomic<int>* signal = nullptr;  // not 0: stop after the current step
};

/// Trains until the epochs are done or early stopping ends it. Throws Interrupted, after a checkpoint, when a
/// signal asks for it. On return the step holds the weights to keep.
TrainingResult train(TrainingStep& step, const TrainingOptions& options, std::uint64_t seed,
                     const std::vector<std::int32_t>& train_rows,
                     const std::vector<std::int32_t>& validation_rows, const TrainerHooks& hooks,
                     const TrainerState* resume = nullptr);

/// Why a state cannot be that of a run on this step with so many batches in an epoch (sizes and counts that do not fit
/// each other), or "".
std::string misfit(const TrainerState& state, TrainingStep& step, std::int64_t batches);

/// The learning rate of a step (from 0) of `batches` in an epoch: the optimizer's, times the schedule's factor. In the warm-up it
/// rises evenly from the first step on, and the schedule begins after it. `history`: of the epochs done.
double rate_of(const TrainingOptions& options, std::int64_t step, std::int64_t batches,
               const History& history);

/// The order of an epoch (from 0): Fisher-Yates with numbers of (seed, stream::shuffle, epoch).
std::vector<std::int32_t> epoch_order(std::vector<std::int32_t> rows, std::uint64_t seed, std::int64_t epoch,
                                      bool shuffle);

}  // namespace timbre::training
