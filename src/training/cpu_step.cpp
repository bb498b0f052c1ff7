#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <stdexcept>
#include <utility>

#include "core/aligned.hpp"
#include "core/simd.hpp"
#include "nn/cpu_layers.hpp"
#include "training/step.hpp"

namespace timbre::training {

namespace {

// Eight sums side by side, whatever the vectors' width: the same bytes for every instruction set.
double penalty_sum(const float* p, std::int64_t n, double l1, double l2) {
  return vectorised([&] {
    constexpr std::int64_t lanes = 8;
    double absolute[lanes] = {}, square[lanes] = {};
    const auto add = [&](std::int64_t i, std::int64_t lane) {
      const double v = p[i];
      absolute[lane] += std::abs(v);
      square[lane] += v * v;
    };
    std::int64_t i = 0;
    for (; i + lanes <= n; i += lanes)
      for (std::int64_t lane = 0; lane < lanes; ++lane) add(i + lane, lane);
    for (; i < n; ++i) add(i, i % lanes);
    double total = 0;
    for (std::int64_t lane = 0; lane < lanes; ++lane) total += l1 * absolute[lane] + l2 * square[lane];
    return total;
  });
}

/// Rows that an evaluation takes at once, if that is more than a batch.
constexpr std::int64_t evaluation_rows = 64;

class CpuStep final : public TrainingStep, nn::GradientSink {
 public:
  CpuStep(const StepOptions& options, ThreadPool& pool)
      : model_(*options.model),
        loss_(*options.loss),
        optimizer_(*options.optimizer),
        pool_(pool),
        seed_(options.seed),
        learning_rate_(optimizer_.learning_rate()),
        class_weights_(options.class_weights),
        capacity_(std::max(options.batch_size, evaluation_rows)),
        arena_(std::size_t(model_.arena_size())),
        gradients_(std::size_t(model_.trainable_size())),
        losses_(std::size_t(capacity_)),
        labels_(std::size_t(capacity_)),
        layers_({&model_, arena_.data(), gradients_.data(), this, &pool_}, capacity_) {
    for (int s = 0; s < optimizer_.slots(); ++s) slots_.emplace_back(gradients_.size());
    model_.initialise(seed_, arena_.data());
    if (options.spec_augment)
      augment_ = SpecAugment::of(*options.spec_augment, seed_, model_.input()[0], model_.input()[1]);
    for (auto& d : dy_) d.resize(std::size_t(capacity_ * layers_.widest()));
    for (const auto& parameter : model_.parameters())
      if (parameter.spec.trainable) add_chunks(parameter);
    updated_ = std::vector<std::atomic<std::int64_t>>(trainable_.size());
  }

  void bind(const data::RowSource& features, const std::int32_t* labels) override {
    features_ = &features, row_labels_ = labels;
  }
  void set_learning_rate(double rate) override { learning_rate_ = rate; }

  void prefetch(std::span<const std::int32_t> rows) override { features_->prefetch(rows); }

  void train(std::span<const std::int32_t> rows) override {
    const auto n = std::int64_t(rows.size());
    const nn::StepContext context{n, true, seed_, std::uint32_t(step_)};
    gather(rows);
    if (augment_) hide_stripes(n);
    layers_.forward(context);
    const float* logits = layers_.logits();
    loss_.evaluate(logits, labels_.data(), n, model_.classes(), losses_.data(), dy_[0].data(), nullptr);
    weigh(n);
    ++step_;
    double loss = penalty() * double(n);
    for (std::int64_t r = 0; r < n; ++r) loss += double(losses_.data()[r]);
    if (!std::isfinite(loss) && metrics_.bad_step == 0) metrics_.bad_step = step_;
    metrics_.loss_sum += loss;
    metrics_.correct += count_correct(logits, n);
    metrics_.rows += n;
    layers_.backward(context, dy_[0].data(), dy_[1].data());
    update();
  }

  Metrics metrics(bool reset) override { return reset ? std::exchange(metrics_, {}) : metrics_; }

  Scores evaluate(std::span<const std::int32_t> rows) override {
    Scores scores;
    scores.probabilities.resize(rows.size() * std::size_t(model_.classes()));
    for (std::size_t first = 0; first < rows.size(); first += std::size_t(capacity_)) {
      const auto part = rows.subspan(first, std::min(rows.size() - first, std::size_t(capacity_)));
      const auto n = std::int64_t(part.size());
      gather(part);
      layers_.forward({n, false, seed_, 0});
      const float* logits = layers_.logits();
      loss_.evaluate(logits, labels_.data(), n, model_.classes(), losses_.data(), nullptr,
                     scores.probabilities.data() + first * std::size_t(model_.classes()));
      for (std::int64_t r = 0; r < n; ++r) scores.loss += double(losses_.data()[r]);
      scores.correct += count_correct(logits, n);
    }
    if (!rows.empty()) scores.loss /= double(rows.size());
    return scores;
  }

  double penalty() override {
    double total = 0;
    bool any = false;
    for (const auto& s : chunks_) any |= s.penalty.l1 > 0 || s.penalty.l2 > 0;
    if (!any) return 0;
    partial_.assign(chunks_.size(), 0);
    pool_.parallel_for(std::int64_t(chunks_.size()), [&](std::int64_t i, int) {
      const auto& s = chunks_[std::size_t(i)];
      if (s.penalty.l1 > 0 || s.penalty.l2 > 0)
        partial_[std::size_t(i)] = penalty_sum(arena_.data() + s.offset, s.size, s.penalty.l1, s.penalty.l2);
    });
    for (const double p : partial_) total += p;
    return total;
  }

  std::vector<float> export_weights() override { return {arena_.begin(), arena_.end()}; }

  StepState export_state() override {
    StepState state{step_, export_weights(), {}, metrics_};
    for (const auto& s : slots_) state.slots.emplace_back(s.begin(), s.end());
    return state;
  }

  void import_state(const StepState& state) override {
    if (state.arena.size() != arena_.size() || state.slots.size() != slots_.size())
      throw std::logic_error("a state of another model");
    require_generators(state, "", {});
    step_ = state.step;
    metrics_ = state.metrics;
    std::copy(state.arena.begin(), state.arena.end(), arena_.data());
    for (std::size_t i = 0; i < slots_.size(); ++i)
      std::copy(state.slots[i].begin(), state.slots[i].end(), slots_[i].data());
  }

  Trace trace(std::int64_t rows) override {
    Trace t;
    for (std::size_t i = 0; i < model_.layers().size(); ++i) {
      const float* y = layers_.output(i);
      t.outputs.emplace_back(y, y + rows * model_.layers()[i].output.size());
    }
    t.gradients.assign(gradients_.begin(), gradients_.end());
    return t;
  }

 private:
  // Pieces of the arena with one penalty each: the unit of work of the optimizer and of the penalty's sum.
  struct Chunk {
    std::int64_t offset, size;
    nn::Penalty penalty;
    std::size_t trainable;  // index of its parameter among those that are trained
  };

  void add_chunks(const nn::Parameter& parameter) {
    constexpr std::int64_t largest = 1 << 16;
    const auto size = parameter.spec.shape.size(), pieces = piece_count(size, largest);
    for (std::int64_t i = 0; i < pieces; ++i) {
      const auto p = piece_of(size, pieces, i);
      chunks_.push_back({parameter.offset + p.begin, p.size(), parameter.penalty, trainable_.size()});
    }
    trainable_.push_back(&parameter);
  }

  void gather(std::span<const std::int32_t> rows) {
    const auto width = model_.input().size();
    for (std::size_t i = 0; i < rows.size(); ++i) {
      features_->read(rows[i], layers_.input() + std::int64_t(i) * width);
      labels_[i] = row_labels_[rows[i]];
    }
  }

  void hide_stripes(std::int64_t rows) {
    const auto steps = augment_->steps, coefficients = augment_->coefficients;
    for (std::int64_t r = 0; r < rows; ++r) {
      float* x = layers_.input() + r * steps * coefficients;
      for (std::int32_t m = 0; m < augment_->masks(); ++m) {
        const auto s = augment_->stripe(r, m, std::uint32_t(step_));
        if (m < augment_->time_masks)
          std::fill(x + s.first * coefficients, x + s.end * coefficients, 0.0f);
        else
          for (std::int32_t t = 0; t < steps; ++t)
            std::fill(x + t * coefficients + s.first, x + t * coefficients + s.end, 0.0f);
      }
    }
  }

  /// Losses and their gradients, by the weights of the classes.
  void weigh(std::int64_t rows) {
    if (class_weights_.empty()) return;
    const auto classes = model_.classes();
    for (std::int64_t r = 0; r < rows; ++r) {
      const float weight = class_weights_[std::size_t(labels_[std::size_t(r)])];
      losses_[std::size_t(r)] *= weight;
      for (std::int64_t c = 0; c < classes; ++c) dy_[0][std::size_t(r * classes + c)] *= weight;
    }
  }

  std::int64_t count_correct(const float* logits, std::int64_t rows) const {
    const auto classes = model_.classes();
    std::int64_t correct = 0;
    for (std::int64_t r = 0; r < rows; ++r) {
      const float* z = logits + r * classes;
      correct += std::max_element(z, z + classes) - z == labels_[std::size_t(r)];
    }
    return correct;
  }

  /// A part of a gradient that is still in the cache: penalty and optimizer follow there.
  void ready(const float* first, std::int64_t count) override {
    const auto offset = first - gradients_.data();
    const auto after = std::upper_bound(
        trainable_.begin(), trainable_.end(), offset,
        [](std::int64_t at, const nn::Parameter* parameter) { return at < parameter->offset; });
    const auto index = std::size_t(after - trainable_.begin()) - 1;
    update_part(offset, count, index);
    updated_[index].fetch_add(count, std::memory_order_relaxed);
  }

  void update_part(std::int64_t offset, std::int64_t count, std::size_t trainable) {
    const auto& parameter = *trainable_[trainable];
    Update u{count,
             arena_.data() + offset,
             gradients_.data() + offset,
             {},
             parameter.penalty,
             learning_rate_,
             step_,
             optimizer_.weight_decay(parameter.spec)};
    for (std::size_t k = 0; k < slots_.size(); ++k) u.slots[k] = slots_[k].data() + offset;
    optimizer_.update(u);
  }

  /// Moves the parameters that were not moved during the backward pass.
  void update() {
    waiting_.clear();
    std::int64_t elements = 0;
    for (const auto& s : chunks_)
      if (updated_[s.trainable].load(std::memory_order_relaxed) == 0)
        waiting_.push_back(&s), elements += s.size;
    for (auto& n : updated_) n.store(0, std::memory_order_relaxed);
    const auto work = [&](std::int64_t i, int) {
      const auto& s = *waiting_[std::size_t(i)];
      update_part(s.offset, s.size, s.trainable);
    };
    if (elements < (1 << 15))  // less than waking a thread costs
      for (std::size_t i = 0; i < waiting_.size(); ++i) work(std::int64_t(i), 0);
    else
      pool_.parallel_for(std::int64_t(waiting_.size()), work);
  }

  const nn::Model& model_;
  const Loss& loss_;
  const Optimizer& optimizer_;
  ThreadPool& pool_;
  std::uint64_t seed_;
  double learning_rate_;
  std::vector<float> class_weights_;  // empty: none
  std::optional<SpecAugment> augment_;
  std::int64_t capacity_, step_ = 0;
  AlignedFloats arena_, gradients_, losses_;
  std::vector<std::int32_t> labels_;
  nn::CpuLayers layers_;
  std::vector<AlignedFloats> slots_;
  std::array<AlignedFloats, 2> dy_;  // [capacity, widest of the layers]
  std::vector<Chunk> chunks_;
  std::vector<const Chunk*> waiting_;
  std::vector<const nn::Parameter*> trainable_;     // in the order of the arena
  std::vector<std::atomic<std::int64_t>> updated_;  // for each: elements moved in this step
  std::vector<double> partial_;
  const data::RowSource* features_ = nullptr;
  const std::int32_t* row_labels_ = nullptr;
  Metrics metrics_;
};

}  // namespace

std::unique_ptr<TrainingStep> make_cpu_step(const StepOptions& options, ThreadPool& pool) {
  return std::make_unique<CpuStep>(options, pool);
}

}  // namespace timbre::training
