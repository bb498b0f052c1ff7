// The training step on one GPU (training/step.hpp): the data, the weights and all else live on the device,
// and a step is one graph: gather, forward, loss, metrics, backward, optimizer.
//
// The arena is in Keras's layout here, too. The batch's size is fixed: rows that are not there are masked
// (gathered as zeros, given no loss), so that a partial batch replays the same graph. The step's counter, the
// learning rate and the metrics live on the device; the host enqueues, and waits for nothing but metrics at
// the end of an epoch.
//
// A step has a stream, handles, plans and memory of its own: several train side by side, and know nothing of
// each other.
#include "training/cuda_step.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <stdexcept>
#include <string_view>
#include <utility>

#include "core/error.hpp"
#include "layers/device_layer.hpp"
#include "training/data_feed.hpp"
#include "training/device_parts.hpp"
#include "training/graph.hpp"

namespace timbre::cuda {
namespace {

using training::Metrics;
using training::StepState;

class CudaStep final : public training::TrainingStep {
 public:
  explicit CudaStep(const training::StepOptions& options)
      : model_(*options.model),
        classes_(model_.classes()),
        capacity_(options.batch_size),
        tools_(stream_),
        feed_(model_.input().size(), capacity_, stream_),
        loss_(make_device_loss(options.loss->dump())),
        optimizer_(make_device_optimizer(options.optimizer->dump())),
        arena_(std::size_t(model_.arena_size())),
        gradients_(std::size_t(model_.trainable_size())),
        losses_(std::size_t(capacity_)),
        hits_(std::size_t(capacity_)),
        probabilities_(std::size_t(capacity_ * classes_)),
        scalars_(1),
        penalty_(1),
        snapshot_(1) {
    for (int s = 0; s < options.optimizer->slots(); ++s)
      slots_.emplace_back(std::size_t(model_.trainable_size()));
    for (const auto& s : slots_) clear_on_device(s, stream_);
    clear_on_device(gradients_, stream_);  // the gaps between parameters stay zero
    make_stretches();
    StepScalars initial{};
    initial.learning_rate = options.learning_rate;
    put(scalars_, {&initial, 1});
    std::vector<float> weights(arena_.size());
    model_.initialise(options.seed, weights.data());
    put(arena_, weights);
    make_layers(options.seed);
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
    auto s = scalars();
    s.learning_rate = rate;
    put(scalars_, {&s, 1});
  }

  void prefetch(std::span<const std::int32_t> rows) override { feed_.prefetch(rows); }

  void train(std::span<const std::int32_t> rows) override {
    if (std::int64_t(rows.size()) > capacity_)
      throw std::logic_error("a batch of more rows than the step was made for");
    feed_.next(rows);
    run(training_, "the training step", [&] { enqueue_training(); });
  }

  Metrics metrics(bool reset) override {
    if (!reset) return latest();
    auto s = scalars();
    const Metrics m{s.loss_sum, s.correct, s.rows, s.bad_step};
    s.loss_sum = 0, s.correct = s.rows = s.bad_step = 0;
    put(scalars_, {&s, 1});
    snapshot_pending_ = false, latest_ = {};
    return m;
  }

  Scores evaluate(std::span<const std::int32_t> rows) override {
    const auto n = rows.size(), width = std::size_t(classes_);
    if (results_.size() < n) {
      results_ = PinnedArray<float>(n), result_hits_ = PinnedArray<std::int32_t>(n);
      result_probabilities_ = PinnedArray<float>(n * width);
    }
    const auto part_of = [&](std::size_t first) {
      first = std::min(first, n);
      return rows.subspan(first, std::min(n - first, std::size_t(capacity_)));
    };
    for (std::size_t first = 0; first < n; first += std::size_t(capacity_)) {
      const auto part = part_of(first);
      feed_.next(part);
      run(evaluation_, "evaluation", [&] { enqueue_evaluation(); });
      fetch(losses_.data(), results_.data() + first, part.size());
      fetch(hits_.data(), result_hits_.data() + first, part.size());
      fetch(probabilities_.data(), result_probabilities_.data() + first * width, part.size() * width);
      feed_.prefetch(part_of(first + std::size_t(capacity_)));
    }
    TIMBRE_CUDA_CHECK(cudaStreamSynchronize(stream_));
    Scores scores;
    scores.probabilities.assign(result_probabilities_.data(), result_probabilities_.data() + n * width);
    for (std::size_t r = 0; r < n; ++r)
      scores.loss += double(results_.data()[r]), scores.correct += result_hits_.data()[r];
    if (n > 0) scores.loss /= double(n);
    return scores;
  }

  double penalty() override {
    sum_penalties(stream_, penalised_.data(), std::int64_t(penalised_.size()), arena_.data(), partial_.data(),
                  penalty_.data());
    double value = 0;
    download(penalty_.data(), std::span(&value, 1), stream_);
    return value;
  }

  std::vector<float> export_weights() override { return get(arena_); }

  StepState export_state() override {
    const auto s = scalars();
    StepState state{s.step, get(arena_), {}, {s.loss_sum, s.correct, s.rows, s.bad_step}};
    for (const auto& slot : slots_) state.slots.push_back(get(slot));
    return state;
  }

  void import_state(const StepState& state) override {
    if (state.arena.size() != arena_.size() || state.slots.size() != slots_.size())
      throw std::logic_error("a state of another model");
    auto s = scalars();
    s.step = state.step;
    s.loss_sum = state.metrics.loss_sum, s.correct = state.metrics.correct, s.rows = state.metrics.rows;
    s.bad_step = state.metrics.bad_step;
    put(scalars_, {&s, 1});
    put(arena_, state.arena);
    for (std::size_t i = 0; i < slots_.size(); ++i) put(slots_[i], state.slots[i]);
    snapshot_pending_ = false, latest_ = state.metrics;
  }

  Trace trace(std::int64_t rows) override {
    Trace t;
    for (std::size_t i = 0; i < layers_.size(); ++i) {
      auto& y = t.outputs.emplace_back(std::size_t(rows * model_.layers()[i].output.size()));
      download(values_[i + 1], std::span(y), stream_);
    }
    t.gradients = get(gradients_);
    return t;
  }

  std::vector<std::string> notes() override { return std::exchange(notes_, {}); }

 private:
  void make_stretches() {
    std::vector<Stretch> all, penalised;
    for (const auto& slot : model_.slots())
      for (std::int64_t done = 0; slot.spec.trainable && done < slot.spec.shape.size();
           done += stretch_size) {
        const auto& p = slot.penalty;
        all.push_back({slot.offset + done,
                       std::int32_t(std::min(stretch_size, slot.spec.shape.size() - done)), float(p.l1),
                       float(2 * p.l2), p.l1, p.l2});
        if (p.l1 > 0 || p.l2 > 0) penalised.push_back(all.back());
      }
    stretches_ = upload(std::span<const Stretch>(all), stream_);
    penalised_ = upload(std::span<const Stretch>(penalised), stream_);
    partial_ = DeviceArray<double>(penalised.size());
  }

  void make_layers(std::uint64_t seed) {
    values_.push_back(outputs_.emplace_back(std::size_t(capacity_ * model_.input().size())).data());
    std::int64_t widest = classes_;
    bool trainable_before = false;
    for (std::size_t i = 0; i < model_.layers().size(); ++i) {
      const auto& entry = model_.layers()[i];
      DeviceBinding b;
      b.input = entry.input, b.output = entry.output, b.capacity = capacity_, b.index = int(i);
      b.input_gradient = trainable_before;
      b.logits = i + 1 == model_.layers().size();
      b.seed = seed, b.step = &scalars_.data()->step, b.live = &feed_.header()->live, b.tools = &tools_;
      for (const int s : entry.slots) {
        const auto& slot = model_.slots()[std::size_t(s)];
        b.parameters.push_back(arena_.data() + slot.offset);
        b.gradients.push_back(slot.spec.trainable ? gradients_.data() + slot.offset : nullptr);
        if (slot.spec.trainable && !trainable_before) trainable_before = true, first_trainable_ = i;
      }
      layers_.push_back(make_device_layer(*entry.layer, b));
      if (auto note = layers_.back()->note(); !note.empty()) notes_.push_back(std::move(note));
      values_.push_back(layers_.back()->passes_through()
                            ? values_.back()
                            : outputs_.emplace_back(std::size_t(capacity_ * entry.output.size())).data());
      widest = std::max({widest, entry.output.size(), trainable_before ? entry.input.size() : 0});
    }
    for (auto& d : dy_) d = DeviceArray<float>(std::size_t(capacity_ * widest));
  }

  void enqueue_forward(bool training) {
    gather_rows(stream_, feed_.header(), feed_.rows(), capacity_, model_.input().size(), values_[0]);
    for (std::size_t i = 0; i < layers_.size(); ++i)
      if (!layers_[i]->passes_through()) layers_[i]->forward(training, values_[i], values_[i + 1]);
  }

  LossBatch loss_batch(float* gradient, float* probabilities) {
    return {values_.back(), feed_.header(), feed_.rows(), capacity_,    classes_,
            losses_.data(), hits_.data(),   gradient,     probabilities};
  }

  void enqueue_evaluation() {
    enqueue_forward(false);
    loss_->evaluate(stream_, loss_batch(nullptr, probabilities_.data()));
  }

  void enqueue_training() {
    enqueue_forward(true);
    loss_->evaluate(stream_, loss_batch(dy_[0].data(), nullptr));
    std::size_t now = 0;
    for (std::size_t i = layers_.size(); i-- > first_trainable_;) {
      if (layers_[i]->passes_through()) continue;
      layers_[i]->backward(values_[i], values_[i + 1], dy_[now].data(), dy_[now ^ 1].data());
      now ^= 1;
    }
    // Counts the step, so it stands behind what draws its random numbers by the counter.
    finish_loss(stream_, penalised_.data(), std::int64_t(penalised_.size()), arena_.data(), losses_.data(),
                hits_.data(), feed_.header(), optimizer_->rate(), scalars_.data(), partial_.data(),
                penalty_.data());
    ArenaUpdate u{stretches_.data(), std::int64_t(stretches_.size()),
                  scalars_.data(),   arena_.data(),
                  gradients_.data(), {}};
    for (std::size_t k = 0; k < slots_.size(); ++k) u.slots[k] = slots_[k].data();
    optimizer_->update(stream_, u);
  }

  template <class Enqueue>
  void run(ReplayedWork& work, const char* what, Enqueue&& enqueue) {
    const bool known = !work.why().empty();
    work.run(stream_, enqueue);
    if (!known && !work.why().empty())
      notes_.push_back(fmt::format("{} runs without a graph: {}", what, work.why()));
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
      latest_ = {s.loss_sum, s.correct, s.rows, s.bad_step};
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
  void put(const DeviceArray<float>& to, const std::vector<float>& values) {
    put(to, std::span<const float>(values));
  }
  std::vector<float> get(const DeviceArray<float>& from) {
    std::vector<float> values(from.size());
    download(from.data(), std::span(values), stream_);
    return values;
  }
  template <class T>
  void fetch(const T* from, T* to, std::size_t count) {
    TIMBRE_CUDA_CHECK(cudaMemcpyAsync(to, from, count * sizeof(T), cudaMemcpyDeviceToHost, stream_));
  }

  const nn::Model& model_;
  std::int64_t classes_, capacity_;
  Stream stream_ = make_stream();
  DeviceTools tools_;
  DataFeed feed_;
  std::unique_ptr<DeviceLoss> loss_;
  std::unique_ptr<DeviceOptimizer> optimizer_;
  DeviceArray<float> arena_, gradients_, losses_;
  DeviceArray<std::int32_t> hits_;
  DeviceArray<float> probabilities_;
  DeviceArray<StepScalars> scalars_;
  DeviceArray<double> penalty_, partial_;
  DeviceArray<Stretch> stretches_, penalised_;  // all of the trainable arena, and what of it has a penalty
  std::vector<DeviceArray<float>> slots_, outputs_;
  std::vector<float*> values_;  // the input, and the output of each layer
  std::array<DeviceArray<float>, 2> dy_;
  std::vector<std::unique_ptr<DeviceLayer>> layers_;
  std::size_t first_trainable_ = 0;
  ReplayedWork training_, evaluation_;

  PinnedArray<float> results_, result_probabilities_;  // of an evaluation
  PinnedArray<std::int32_t> result_hits_;
  PinnedArray<StepScalars> snapshot_;
  Event snapshot_copied_ = make_event();
  bool snapshot_pending_ = false, told_streaming_ = false;
  std::chrono::steady_clock::time_point asked_{};
  Metrics latest_;
  std::vector<std::string> notes_;
  WaitAtEnd end_{stream_};
};

}  // namespace

std::unique_ptr<training::TrainingStep> make_cuda_step(const training::StepOptions& options, ThreadPool&) {
  return std::make_unique<CudaStep>(options);
}

}  // namespace timbre::cuda
