// The training step on one GPU (training/step.hpp): the data, the weights and all else live on the device,
// and a step is one graph: gather, forward, loss, metrics, backward, optimizer.
//
// The arena is in Keras's layout here, too. The batch's size is fixed: rows that are not there are masked
// (gathered as zeros, given no loss), so that a partial batch replays the same graph. The step's counter, the
// learning rate and the metrics live on the device; the host enqueues, and waits for nothing but metrics at
// the end of an epoch.
//
// Evaluation has layers of its own where batches are small: 128 rows at a time cost a GPU little more
// than 20.
//
// A step has a stream, handles, plans and memory of its own: several train side by side, and know nothing of
// each other.
#include "cuda/training/cuda_step.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <optional>
#include <stdexcept>
#include <string_view>
#include <utility>

#include "core/error.hpp"
#include "cuda/training/class_weights.hpp"
#include "cuda/training/evaluation.hpp"
#include "cuda/training/gradient_clipping.hpp"
#include "cuda/training/mixup.hpp"
#include "cuda/training/moving_average.hpp"
#include "cuda/training/spec_augment.hpp"
#include "device/algorithms.hpp"

namespace timbre::cuda {
namespace {

using training::Metrics;
using training::StepState;

class CudaStep final : public training::TrainingStep {
 public:
  CudaStep(const std::string& gpu, const training::StepOptions& options)
      : model_(*options.model),
        capacity_(options.batch_size),
        evaluation_rows_(std::max(capacity_, device::tuned_number("TIMBRE_CUDA_EVALUATION_ROWS"))),
        tools_(stream_),
        feed_(model_.input().size(), evaluation_rows_, stream_, options.mixup.has_value()),
        loss_(make_cuda_loss(options.loss->options())),
        optimizer_(make_cuda_optimizer(options.optimizer->options())),
        arena_(std::size_t(model_.arena_size())),
        gradients_(std::size_t(model_.trainable_size())),
        scalars_(1),
        penalty_(1),
        parts_{options.model,         arena_.data(), gradients_.data(), options.seed, &scalars_.data()->step,
               &feed_.header()->live, &tools_},
        snapshot_(1) {
    for (int s = 0; s < options.optimizer->slots(); ++s)
      slots_.emplace_back(std::size_t(model_.trainable_size()));
    for (const auto& s : slots_) clear_on_device(s, stream_);
    clear_on_device(gradients_, stream_);  // the gaps between parameters stay zero
    class_weights_ = upload(std::span<const float>(options.class_weights), stream_);
    if (options.spec_augment)
      augment_ = training::SpecAugment::of(*options.spec_augment, options.seed, model_.input()[0],
                                           model_.input()[1]);
    if (options.mixup) mixup_.emplace(*options.mixup, options.seed, capacity_, model_.classes());
    if (options.average) moving_average_ = training::MovingAverage::of(*options.average);
    make_chunks(options);
    StepScalars initial{};
    initial.learning_rate = options.optimizer->learning_rate();
    put(scalars_, {&initial, 1});
    std::vector<float> weights(arena_.size());
    model_.initialise(options.seed, weights.data());
    put(arena_, weights);
    if (moving_average_) {
      weights.resize(gradients_.size());
      average_ = upload(std::span<const float>(weights), stream_);
    }
    training_net_ = make_network(parts_, capacity_);
    if (!training_net_->generators().empty()) generator_kind_ = "cuDNN's dropout on " + gpu;
    for (auto& d : dy_) d = DeviceArray<float>(std::size_t(capacity_ * training_net_->widest()));
    // Timbre asks for no TF32; these ask cuBLAS for it, or for less than float32, behind its back.
    for (const char* name : {"NVIDIA_TF32_OVERRIDE", "CUBLAS_EMULATE_SINGLE_PRECISION"})
      if (const char* set = std::getenv(name); set && std::string_view(set) != "0")
        notes_.push_back(fmt::format("{}={} is set: products may not be float32", name, set));
  }

  void bind(const data::RowSource& features, const std::int32_t* labels) override {
    feed_.bind(features, labels);
    if (!feed_.resident() && !told_streaming_) {
      notes_.push_back("the data stream to the GPU, which has no room for them");
      told_streaming_ = true;
    }
  }

  void set_learning_rate(double rate) override {
    // (From pageable memory: the value is taken before the call returns.)
    TIMBRE_CUDA_CHECK(cudaMemcpyAsync(&scalars_.data()->learning_rate, &rate, sizeof rate,
                                      cudaMemcpyHostToDevice, stream_));
  }

  void prefetch(std::span<const std::int32_t> rows) override { feed_.prefetch(rows); }

  void train(std::span<const std::int32_t> rows) override {
    if (std::int64_t(rows.size()) > capacity_)
      throw std::logic_error("a batch of more rows than the step was made for");
    if (mixup_) {
      const auto mixture = mixup_->draw(steps_done_, rows.size());
      feed_.next(rows, &mixture);
    } else {
      feed_.next(rows);
    }
    ++steps_done_;
    training_.run(stream_, [&] { enqueue_training(); });
    tell(training_.notes());
  }

  Metrics metrics(bool reset) override {
    if (!reset) return latest();
    auto s = scalars();
    const auto m = metrics_of(s);
    s.loss_sum = s.gradient_norm_sum = 0, s.correct = s.rows = s.bad_step = 0;
    put(scalars_, {&s, 1});
    snapshot_pending_ = false, latest_ = {};
    return m;
  }

  Scores evaluate(std::span<const std::int32_t> rows) override {
    auto& net = network_of_evaluation();
    use_average();
    auto scores = evaluation_.run(stream_, feed_, *loss_, net, model_.classes(), rows);
    use_average();
    tell(evaluation_.notes());
    return scores;
  }

  double penalty() override {
    auto sum = penalty_sum();
    if (moving_average_) sum.arena = average_.data();
    sum_penalties(stream_, sum);
    double value = 0;
    download(penalty_.data(), std::span(&value, 1), stream_);
    return value;
  }

  std::vector<float> export_weights() override {
    auto weights = get(arena_);
    if (moving_average_) std::ranges::copy(get(average_), weights.begin());
    return weights;
  }

  StepState export_state() override {
    const auto s = scalars();
    StepState state{.step = s.step, .arena = get(arena_), .average = get(average_), .metrics = metrics_of(s)};
    for (const auto& slot : slots_) state.slots.push_back(get(slot));
    for (const auto* generator : training_net_->generators()) state.generators.push_back(get(*generator));
    if (!state.generators.empty()) state.generator_kind = generator_kind_;
    return state;
  }

  void import_state(const StepState& state) override {
    if (state.arena.size() != arena_.size() || state.slots.size() != slots_.size() ||
        state.average.size() != average_.size())
      throw std::logic_error("a state of another model");
    const auto generators = training_net_->generators();
    std::vector<std::size_t> sizes;
    for (const auto* g : generators) sizes.push_back(g->size());
    training::require_generators(state, sizes.empty() ? "" : generator_kind_, sizes);
    for (std::size_t i = 0; i < state.generators.size(); ++i) put(*generators[i], state.generators[i]);
    auto s = scalars();
    s.step = steps_done_ = state.step;
    s.loss_sum = state.metrics.loss_sum, s.correct = state.metrics.correct, s.rows = state.metrics.rows;
    s.bad_step = state.metrics.bad_step, s.gradient_norm_sum = state.metrics.gradient_norm_sum;
    put(scalars_, {&s, 1});
    put(arena_, state.arena), put(average_, state.average);
    for (std::size_t i = 0; i < slots_.size(); ++i) put(slots_[i], state.slots[i]);
    snapshot_pending_ = false, latest_ = state.metrics;
  }

  Trace trace(std::int64_t rows) override {
    Trace t;
    for (std::size_t i = 0; i < model_.layers().size(); ++i) {
      auto& y = t.outputs.emplace_back();
      if (!training_net_->output(i)) continue;  // computed as one with the next
      y.resize(std::size_t(rows * model_.layers()[i].output.size()));
      download(training_net_->output(i), std::span(y), stream_);
    }
    t.gradients = get(gradients_);
    return t;
  }

  std::vector<std::string> notes() override { return std::exchange(notes_, {}); }

 private:
  static Metrics metrics_of(const StepScalars& s) {
    return {s.loss_sum, s.correct, s.rows, s.bad_step, s.gradient_norm_sum};
  }

  void make_chunks(const training::StepOptions& options) {
    std::vector<Chunk> all, penalised;
    std::vector<ChunksOfParameter> parameters;
    for (const auto& parameter : model_.parameters()) {
      const auto first = all.size();
      for (std::int64_t done = 0; parameter.spec.trainable && done < parameter.spec.shape.size();
           done += chunk_size) {
        const auto& p = parameter.penalty;
        all.push_back({parameter.offset + done,
                       std::int32_t(std::min(chunk_size, parameter.spec.shape.size() - done)), float(p.l1),
                       float(2 * p.l2), p.l1, p.l2, options.optimizer->weight_decay(parameter.spec)});
        if (p.l1 > 0 || p.l2 > 0) penalised.push_back(all.back());
      }
      if (parameter.spec.trainable)
        parameters.push_back({std::int32_t(first), std::int32_t(all.size() - first)});
    }
    chunks_ = upload(std::span<const Chunk>(all), stream_);
    penalised_ = upload(std::span<const Chunk>(penalised), stream_);
    partial_ = DeviceArray<double>(penalised.size());
    if (options.clipping) clipping_.emplace(*options.clipping, all, parameters, stream_);
  }

  std::unique_ptr<ScoredNetwork> make_network(const NetworkParts& parts, std::int64_t capacity) {
    auto net = std::make_unique<ScoredNetwork>(parts, capacity);
    for (auto& note : net->notes())
      // (What an evaluation plans is the beginning of what training does.)
      if (std::ranges::none_of(told_, [&](const std::string& t) { return t.starts_with(note); }))
        notes_.push_back(told_.emplace_back(std::move(note)));
    return net;
  }

  ScoredNetwork& network_of_evaluation() {
    if (evaluation_rows_ == capacity_ || no_room_) return *training_net_;
    if (evaluation_net_) return *evaluation_net_;
    try {
      auto parts = parts_;
      parts.gradients = nullptr;  // nothing is kept for a way back
      evaluation_net_ = make_network(parts, evaluation_rows_);
      return *evaluation_net_;
    } catch (const Error& e) {
      cudaGetLastError();  // else the next call would report it again
      no_room_ = true;
      notes_.push_back(
          fmt::format("evaluation takes {} rows at once, not {}: {}", capacity_, evaluation_rows_, e.what()));
      return *training_net_;
    }
  }

  void enqueue_training() {
    auto& net = *training_net_;
    enqueue_forward(stream_, feed_, *loss_, net, true, dy_[0].data(), nullptr, [&] {
      if (augment_) hide_stripes(stream_, *augment_, &scalars_.data()->step, capacity_, net.input());
    });
    const auto batch = loss_batch(feed_, net, dy_[0].data(), nullptr);
    weigh(batch);
    if (mixup_)
      mixup_->mix(stream_, batch, feed_.rows(), [&](const LossBatch& of_partners) {
        loss_->evaluate(stream_, of_partners);
        weigh(of_partners);
      });
    net.backward(dy_[0].data(), dy_[1].data());
    // Counts the step, so it comes after the layers that draw random numbers by the counter.
    optimizer_->finish_loss(stream_, penalty_sum(), {net.losses.data(), net.hits.data(), feed_.header()},
                            scalars_.data());
    if (clipping_) clipping_->clip(stream_, arena_.data(), gradients_.data(), scalars_.data());
    ArenaUpdate u{clipping_ ? clipping_->chunks_of_clipped() : chunks_.data(),
                  std::int64_t(chunks_.size()),
                  arena_.data(),
                  gradients_.data(),
                  {}};
    for (std::size_t k = 0; k < slots_.size(); ++k) u.slots[k] = slots_[k].data();
    optimizer_->update(stream_, u);
    if (moving_average_)
      move_average(stream_, *moving_average_, &scalars_.data()->step, std::int64_t(average_.size()),
                   average_.data(), arena_.data());
  }

  void weigh(const LossBatch& batch) const {
    if (class_weights_.size() > 0) weigh_classes(stream_, batch, class_weights_.data());
  }

  /// The average takes the place of the weights that are trained, or gives it back.
  void use_average() {
    if (moving_average_) swap_average(stream_, std::int64_t(average_.size()), average_.data(), arena_.data());
  }

  void tell(std::vector<std::string> notes) {
    for (auto& note : notes) notes_.push_back(std::move(note));
  }

  PenaltySum penalty_sum() const {
    return {penalised_.data(), std::int64_t(penalised_.size()), arena_.data(), partial_.data(),
            penalty_.data()};
  }

  /// The newest metrics that have come back; asks for newer ones now and then.
  Metrics latest() {
    if (snapshot_pending_) {
      const auto status = cudaEventQuery(snapshot_copied_);
      if (status == cudaErrorNotReady) {
        cudaGetLastError();  // which this answer sets, too
        return latest_;
      }
      TIMBRE_CUDA_CHECK(status);
      const auto& s = *snapshot_.data();
      latest_ = metrics_of(s);
      snapshot_pending_ = false;
    }
    const auto now = std::chrono::steady_clock::now();
    if (now - asked_ >= std::chrono::milliseconds(20)) {
      fetch(scalars_.data(), snapshot_.data(), 1);
      TIMBRE_CUDA_CHECK(cudaEventRecord(snapshot_copied_, stream_));
      snapshot_pending_ = true, asked_ = now;
    }
    return latest_;
  }

  StepScalars scalars() {
    StepScalars s{};
    download(scalars_.data(), std::span(&s, 1), stream_);
    return s;
  }
  template <class T>
  void put(const DeviceArray<T>& to, std::span<const T> values) {
    if (values.empty()) return;
    TIMBRE_CUDA_CHECK(
        cudaMemcpyAsync(to.data(), values.data(), values.size_bytes(), cudaMemcpyHostToDevice, stream_));
    TIMBRE_CUDA_CHECK(cudaStreamSynchronize(stream_));
  }
  template <class T>
  void put(const DeviceArray<T>& to, const std::vector<T>& values) {
    put(to, std::span<const T>(values));
  }
  template <class T>
  std::vector<T> get(const DeviceArray<T>& from) {
    std::vector<T> values(from.size());
    download(from.data(), std::span(values), stream_);
    return values;
  }
  template <class T>
  void fetch(const T* from, T* to, std::size_t count) {
    TIMBRE_CUDA_CHECK(cudaMemcpyAsync(to, from, count * sizeof(T), cudaMemcpyDeviceToHost, stream_));
  }

  const nn::Model& model_;
  std::int64_t capacity_, evaluation_rows_;
  Stream stream_ = make_stream();
  CudaTools tools_;
  DataFeed feed_;
  std::unique_ptr<CudaLoss> loss_;
  std::unique_ptr<CudaOptimizer> optimizer_;
  DeviceArray<float> arena_, gradients_, class_weights_;  // the last: empty where there are none
  DeviceArray<StepScalars> scalars_;
  DeviceArray<double> penalty_, partial_;
  DeviceArray<Chunk> chunks_, penalised_;  // all of the trainable arena, and what of it has a penalty
  std::optional<ClippingDevice> clipping_;
  std::optional<training::MovingAverage> moving_average_;
  DeviceArray<float> average_;  // [trainable_size]; empty where none is kept
  std::vector<DeviceArray<float>> slots_;
  std::optional<training::SpecAugment> augment_;
  std::int64_t steps_done_ = 0;  // those that were enqueued
  std::optional<MixupDevice> mixup_;
  std::array<DeviceArray<float>, 2> dy_;  // [capacity, widest of the network]
  NetworkParts parts_;
  std::string generator_kind_;                                    // of random numbers that come from a state
  std::unique_ptr<ScoredNetwork> training_net_, evaluation_net_;  // the latter from an evaluation on, if any
  ReplayedWork training_{"the training step"};
  Evaluation evaluation_;

  PinnedArray<StepScalars> snapshot_;
  Event snapshot_copied_ = make_event();
  bool snapshot_pending_ = false, told_streaming_ = false, no_room_ = false;
  std::chrono::steady_clock::time_point asked_{};
  Metrics latest_;
  std::vector<std::string> notes_, told_;  // told: of layers
  WaitAtEnd end_{stream_};
};

}  // namespace

std::unique_ptr<training::TrainingStep> make_cuda_step(const std::string& gpu,
                                                       const training::StepOptions& options) {
  return std::make_unique<CudaStep>(gpu, options);
}

}  // namespace timbre::cuda
