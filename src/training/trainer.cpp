#include "training/trainer.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>

#include "core/parallel.hpp"
#include "core/philox.hpp"

namespace timbre::training {

const config::Schema<EarlyStoppingOptions>& schema(config::of<EarlyStoppingOptions>) {
  static const auto s =
      config::Schema<EarlyStoppingOptions>(
          "ends training when the watched value has not improved for `patience` epochs")
          .field(
              "monitor", &EarlyStoppingOptions::monitor, "the value that is watched",
              config::choice_of({{"val_loss", "loss of the validation part, with penalties"},
                                 {"val_accuracy", "accuracy of the validation part"},
                                 {"loss", "loss of the training part, with penalties"},
                                 {"accuracy", "accuracy of the training part, with dropout"},
                                 {"val_clip_accuracy",
                                  "accuracy of the validation part's clips, by the mean probability of their "
                                  "segments. The history then has it"},
                                 {"val_macro_f1",
                                  "mean F1 of the classes over the validation part's segments. The history "
                                  "then has it"}}))
          .field("patience", &EarlyStoppingOptions::patience,
                 "epochs in a row without improvement that end training", config::at_least(std::int64_t{1}))
          .unit("epochs")
          .field("min_delta", &EarlyStoppingOptions::min_delta,
                 "smallest change that counts as an improvement", config::at_least(0.0))
          .field("restore_best", &EarlyStoppingOptions::restore_best,
                 "whether the result has the weights of the best epoch, not of the last");
  return s;
}

const config::Schema<TrainingOptions>& schema(config::of<TrainingOptions>) {
  static const auto s =
      config::Schema<TrainingOptions>("how the network is trained")
          .field("epochs", &TrainingOptions::epochs, "passes over the training part, at most",
                 config::between(std::int64_t{1}, std::int64_t{1'000'000}))
          .unit("epochs")
          .field("batch_size", &TrainingOptions::batch_size,
                 "segments in one step. The last, smaller batch of an epoch is kept",
                 config::between(std::int64_t{1}, std::int64_t{65536}))
          .unit("segments")
          .field("shuffle", &TrainingOptions::shuffle, "whether segments come in a new order in each epoch")
          .field("optimizer", &TrainingOptions::optimizer, "how gradients move the weights")
          .field("loss", &TrainingOptions::loss, "what training minimises, with the penalties")
          .field(
              "early_stopping", &TrainingOptions::early_stopping,
              "ends training before its last epoch, when the watched value no longer improves. null: never")
          .later_field(
              "schedule", &TrainingOptions::schedule,
              "how the learning rate changes while training goes on. null: it stays what the optimizer has")
          .later_field(
              "warmup_epochs", &TrainingOptions::warmup_epochs,
              "epochs in which the learning rate rises evenly to its value. The schedule begins after them",
              config::between(0.0, 1e6))
          .unit("epochs")
          .later_field(
              "class_weights", &TrainingOptions::class_weights,
              "how much a segment of each class counts in the training loss: balanced, or a map from classes "
              "to weights. null: all alike")
          .later_field(
              "gradient_clipping", &TrainingOptions::gradient_clipping,
              "what bounds the gradients. {}: nothing, but the history has their norm. null: nothing")
          .later_field("ema", &TrainingOptions::ema,
                       "moving average of the weights, which validation and result use. {} for the defaults, "
                       "null: none");
  return s;
}

double rate_of(const TrainingOptions& options, std::int64_t step, std::int64_t batches,
               const History& history) {
  const double rate = options.optimizer->learning_rate(), warmup = options.warmup_epochs.value_or(0),
               epochs = double(step) / double(batches);
  if (epochs < warmup) return rate * std::min(1.0, double(step + 1) / (warmup * double(batches)));
  if (!options.schedule) return rate;
  return rate * (*options.schedule)
                    ->factor(epochs - warmup, std::max(1.0, double(options.epochs) - warmup), history);
}

std::vector<std::int32_t> epoch_order(std::vector<std::int32_t> rows, std::uint64_t seed, std::int64_t epoch,
                                      bool shuffle) {
  if (!shuffle) return rows;
  PhiloxSequence random(seed, stream::shuffle, std::uint32_t(epoch));
  for (std::size_t i = rows.size(); i > 1; --i) std::swap(rows[i - 1], rows[random.below(i)]);
  return rows;
}

namespace {

using Clock = std::chrono::steady_clock;

double since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

}  // namespace

std::string misfit(const TrainerState& state, TrainingStep& step, std::int64_t batches) {
  const auto own = step.export_state();
  const auto sizes = [](const auto& lists) {
    std::vector<std::size_t> out;
    for (const auto& list : lists) out.push_back(list.size());
    return out;
  };
  if (state.step.arena.size() != own.arena.size() || sizes(state.step.slots) != sizes(own.slots) ||
      state.step.average.size() != own.average.size() ||
      (!state.best_arena.empty() && state.best_arena.size() != own.arena.size()))
    return "weights of another model";
  const auto& h = state.history;
  for (const auto& column : history_columns)
    if (column.is_in(h) && std::ssize(h.*column.values) != state.epoch)
      return "a history of another length than its epochs";
  if (state.batch < 0 || state.batch > batches || state.best_epoch < 0 || state.best_epoch > state.epoch ||
      state.waited < 0 || state.waited > state.epoch || state.step.step < 0 ||
      state.step.step > (state.epoch + 1) * batches)
    return "counts that no run can have";
  return "";
}

TrainingResult train(TrainingStep& step, const TrainingOptions& options, std::uint64_t seed,
                     const std::vector<std::int32_t>& train_rows,
                     const std::vector<std::int32_t>& validation_rows, const TrainerHooks& hooks,
                     const TrainerState* resume) {
  // Without early stopping the best epoch is still told, and nothing is restored.
  const EarlyStoppingOptions rule =
      options.early_stopping.value_or(EarlyStoppingOptions{"val_loss", options.epochs + 1, 0, false});
  EarlyStopping watch(higher_is_better(rule.monitor), rule.min_delta, rule.patience);
  TrainerState state;
  if (resume) {
    state = *resume;
    step.import_state(state.step);
    watch.restore(state.best_epoch, state.best, state.waited);
  }
  const auto rows = std::int64_t(train_rows.size()), batches = piece_count(rows, options.batch_size);
  const bool changes = options.schedule || options.warmup_epochs;
  double learning_rate = rate_of(options, state.epoch * batches + state.batch, batches, state.history);
  step.set_learning_rate(learning_rate);
  const auto started = Clock::now();
  const double seconds_before = state.seconds;
  double epoch_seconds_before = state.epoch_seconds;
  auto epoch_started = started, last_save = started;

  const auto save = [&] {
    if (!hooks.save) return;
    state.best_epoch = watch.best_epoch(), state.best = watch.best(), state.waited = watch.waited();
    state.seconds = seconds_before + since(started);
    state.epoch_seconds = epoch_seconds_before + since(epoch_started);
    state.step = step.export_state();
    hooks.save(state);
    state.step = {};
    last_save = Clock::now();
  };

  TrainingResult result;
  const auto diverged = [&](const Metrics& m) {
    if (m.bad_step == 0) return false;
    const auto in_epoch = (m.bad_step - 1) % batches + 1;
    result.status = Status::diverged;
    result.message =
        fmt::format("the loss became NaN or infinite in epoch {}, step {} of {} (step {} overall)",
                    (m.bad_step - 1) / batches + 1, in_epoch, batches, m.bad_step);
    return true;
  };

  while (result.status == Status::finished && state.epoch < options.epochs &&
         !(options.early_stopping && state.epoch > 0 && watch.should_stop())) {
    const auto order = epoch_order(train_rows, seed, state.epoch, options.shuffle);
    epoch_started = Clock::now();
    while (state.batch < batches) {
      const auto rows_of = [&](std::int64_t batch) {
        const auto first = std::min(batch * options.batch_size, rows);
        return std::span(order).subspan(std::size_t(first),
                                        std::size_t(std::min(options.batch_size, rows - first)));
      };
      step.prefetch(rows_of(state.batch + 1));
      if (changes) {
        const auto now = rate_of(options, state.epoch * batches + state.batch, batches, state.history);
        if (now != learning_rate) step.set_learning_rate(learning_rate = now);
      }
      step.train(rows_of(state.batch));
      ++state.batch;
      if (hooks.on_batch) {
        const auto m = step.metrics(false);
        if (m.rows > 0)  // a device may not have told of any yet
          hooks.on_batch({state.epoch + 1, options.epochs, state.batch, batches,
                          epoch_seconds_before + since(epoch_started), &m});
        if (m.bad_step) break;
      }
      if (hooks.signal && hooks.signal->load() != 0) {
        save();
        throw Interrupted(hooks.signal->load());
      }
      if (since(last_save) > hooks.save_every_seconds) save();
    }
    const auto m = step.metrics(true);
    if (diverged(m)) break;
    auto& h = state.history;
    const auto scores = step.evaluate(validation_rows);
    h.loss.push_back(m.loss());
    h.accuracy.push_back(m.accuracy());
    h.val_loss.push_back(scores.loss + step.penalty());
    h.val_accuracy.push_back(double(scores.correct) / double(validation_rows.size()));
    h.learning_rate.push_back(learning_rate);
    h.seconds.push_back(epoch_seconds_before + since(epoch_started));
    if (options.gradient_clipping) h.gradient_norm.push_back(m.gradient_norm_sum / double(batches));
    if (const auto& column = monitored_column(rule.monitor); column.optional)
      (h.*column.values).push_back(hooks.validate(rule.monitor, scores));
    epoch_seconds_before = 0;
    ++state.epoch;
    state.batch = 0;
    if (watch.observe(state.epoch, monitored(h, rule.monitor).back()) && rule.restore_best)
      state.best_arena = step.export_weights();
    if (hooks.on_epoch) hooks.on_epoch(state.epoch, h);
    epoch_started = Clock::now();
  }

  result.history = state.history;
  result.epochs_run = state.epoch;
  result.best_epoch = watch.best_epoch();
  result.weights_epoch = state.epoch;
  result.stopped_early = result.status == Status::finished && state.epoch < options.epochs;
  result.seconds = seconds_before + since(started);
  if (rule.restore_best && !state.best_arena.empty() && result.best_epoch != state.epoch) {
    auto best = step.export_state();
    best.arena = state.best_arena;
    std::copy_n(best.arena.begin(), best.average.size(), best.average.begin());
    step.import_state(best);
    result.weights_epoch = result.best_epoch;
  }
  return result;
}

}  // namespace timbre::training
