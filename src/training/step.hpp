// One training step on one device: gather, forward, loss, backward, update.
//
// A step has a fixed largest batch; a smaller one counts its rows. train() enqueues and returns nothing: what
// happened is asked for with metrics(). State goes in and out in Keras's layout at any step boundary, for
// checkpoints, resumption and moving between devices; inside, a back end may order weights as it likes.
// A step owns everything it touches besides the data and the thread pool.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "data/row_source.hpp"
#include "nn/model.hpp"
#include "training/gradient_clipping.hpp"
#include "training/loss.hpp"
#include "training/mixup.hpp"
#include "training/moving_average.hpp"
#include "training/optimizer.hpp"
#include "training/spec_augment.hpp"

namespace timbre::training {

/// Sums since they were last taken. Training metrics are as Keras reports them: the running mean over the
/// epoch, dropout on, each batch with the weights it met; the loss includes the penalties.
struct Metrics {
  double loss_sum = 0;  // over rows
  std::int64_t correct = 0, rows = 0;
  std::int64_t bad_step = 0;     // first step (from 1) whose loss was not finite; 0: none
  double gradient_norm_sum = 0;  // over steps, where StepOptions::clipping asks for it
  double loss() const { return loss_sum / double(rows); }
  double accuracy() const { return double(correct) / double(rows); }
};

/// Everything that a later step depends on. `arena` and `slots` are in the layout of nn::Model.
struct StepState {
  std::int64_t step = 0;                  // training steps done
  std::vector<float> arena;               // [arena_size]
  std::vector<std::vector<float>> slots;  // optimizer slots, each [trainable_size]
  std::vector<float> average;             // of the weights, [trainable_size]; empty where none is kept
  Metrics metrics;
  // Of random numbers that a device draws in an order of its own (cuDNN's dropout), layer by layer; mostly there are none,
  // since masks come from the seed and the step. They go on on the kind of device that they come from, alone.
  std::string generator_kind;
  std::vector<std::vector<std::int32_t>> generators;
};

struct StepOptions {
  const nn::Model* model = nullptr;
  const Loss* loss = nullptr;
  const Optimizer* optimizer = nullptr;
  std::int64_t batch_size = 1;
  std::uint64_t seed = 0;
  std::vector<float> class_weights = {};                // [classes] of the training loss; empty: 1 for each
  std::optional<SpecAugmentOptions> spec_augment = {};  // of the features, which are [T, F] then
  std::optional<MixupOptions> mixup = {};
  std::optional<GradientClippingOptions> clipping = {};
  std::optional<MovingAverageOptions> average = {};
};

class TrainingStep {
 public:
  virtual ~TrainingStep() = default;
  /// The data that rows are taken from: rows of model.input().size() floats, labels [rows]. Not owned.
  virtual void bind(const data::RowSource& features, const std::int32_t* labels) = 0;
  virtual void set_learning_rate(double rate) = 0;
  /// One step on these rows of the data (1 to batch_size of them).
  virtual void train(std::span<const std::int32_t> rows) = 0;
  /// The rows of the step after the next call; lets data that stream be under way in time.
  virtual void prefetch(std::span<const std::int32_t> rows) = 0;
  /// Sums since the last reset; `reset` starts new ones. Without it a device is not waited for: they may be those of a
  /// few steps before, or none yet (rows = 0).
  virtual Metrics metrics(bool reset) = 0;
  /// Forward only: mean cross-entropy without penalties, hits, and probabilities [rows, classes] in the order of
  /// `rows`. The result does not depend on training batches. Of the averaged weights, where there is an average.
  struct Scores {
    double loss = 0;
    std::int64_t correct = 0;
    std::vector<float> probabilities;
  };
  virtual Scores evaluate(std::span<const std::int32_t> rows) = 0;
  /// Sum of the penalties for the weights that evaluate() uses.
  virtual double penalty() = 0;
  virtual StepState export_state() = 0;
  /// The weights that evaluate() uses: those of export_state(), with its average in the place of what is trained.
  virtual std::vector<float> export_weights() = 0;
  /// A state without generators leaves the step's own as they are. Throws RequestError for those of another kind.
  virtual void import_state(const StepState& state) = 0;
  /// Intermediate values of the last train(), whose number of rows is `rows`: for comparing devices.
  struct Trace {
    std::vector<std::vector<float>>
        outputs;                   // of each layer, [rows, output...]; logits of the last; empty where
                                   // a device computes a layer as one with the next
    std::vector<float> gradients;  // in the layout of the arena [trainable_size]; without penalties, or,
                                   // where the step clips, as the optimizer gets them
  };
  virtual Trace trace(std::int64_t rows) = 0;
  /// The back end's choices and their reasons, for the log: whole lines, each once.
  virtual std::vector<std::string> notes() { return {}; }
};

/// The step of a device ("cpu", "cuda": as device::choose gave it), the model freshly initialised. The pool is for the
/// host's share of the work. Throws Error where the device fails or has no memory left.
std::unique_ptr<TrainingStep> make_step(const std::string& device, const StepOptions& options,
                                        ThreadPool& pool);

/// Throws RequestError, in one line, where the state's generators are not of this kind, or not as many and as large.
void require_generators(const StepState& state, const std::string& kind, std::span<const std::size_t> sizes);

/// The CPU's step, with the model freshly initialised from the seed.
std::unique_ptr<TrainingStep> make_cpu_step(const StepOptions& options, ThreadPool& pool);

}  // namespace timbre::training
