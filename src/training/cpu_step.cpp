#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <stdexcept>
#include <utility>

#include "core/aligned.hpp"
#include "core/simd.hpp"
#include "nn/cpu_layers.hpp"
#include "training/cpu_batch.hpp"

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
        optimizer_(*options.optimizer),
        pool_(pool),
        seed_(options.seed),
        learning_rate_(optimizer_.learning_rate()),
        capacity_(std::max(options.batch_size, evaluation_rows)),
        arena_(std::size_t(model_.arena_size())),
        gradients_(std::size_t(model_.trainable_size())),
        batch_(options, capacity_),
        // Gradients are clipped when all of them are there.
        layers_({&model_, arena_.data(), gradients_.data(), options.clipping ? nullptr : this, &pool_},
                capacity_) {
    for (int s = 0; s < optimizer_.slots(); ++s) slots_.emplace_back(gradients_.size());
    model_.initialise(seed_, arena_.data());
    if (options.clipping) clipping_ = GradientClipping::of(*options.clipping);
    if (options.average) {
      moving_average_ = MovingAverage::of(*options.average);
      average_.assign(arena_.begin(), arena_.begin() + model_.trainable_size());
    }
    for (auto& d : dy_) d.resize(std::size_t(capacity_ * layers_.widest()));
    for (const auto& parameter : model_.parameters())
      if (parameter.spec.trainable) add_chunks(parameter);
    updated_ = std::vector<std::atomic<std::int64_t>>(trainable_.size());
  }

  void bind(const data::RowSource& features, const std::int32_t* labels) override {
    batch_.bind(features, labels);
  }
  void set_learning_rate(double rate) override { learning_rate_ = rate; }

  void prefetch(std::span<const std::int32_t> rows) override { batch_.prefetch(rows); }

  void train(std::span<const std::int32_t> rows) override {
    const auto n = std::int64_t(rows.size());
    const nn::StepContext context{n, true, seed_, std::uint32_t(step_)};
    batch_.gather(rows, layers_.input());
    batch_.augment(step_, layers_.input());
    layers_.forward(context);
    batch_.score(layers_.logits(), dy_[0].data(), nullptr);
    ++step_;
    const double loss = batch_.add_losses(penalty_of(arena_.data()) * double(n));
    if (!std::isfinite(loss) && metrics_.bad_step == 0) metrics_.bad_step = step_;
    metrics_.loss_sum += loss;
    metrics_.correct += batch_.correct();
    metrics_.rows += n;
    layers_.backward(context, dy_[0].data(), dy_[1].data());
    if (clipping_) clip();
    update();
  }

  Metrics metrics(bool reset) override { return reset ? std::exchange(metrics_, {}) : metrics_; }

  Scores evaluate(std::span<const std::int32_t> rows) override {
    Scores scores;
    scores.probabilities.resize(rows.size() * std::size_t(model_.classes()));
    swap_average();
    for (std::size_t first = 0; first < rows.size(); first += std::size_t(capacity_)) {
      const auto part = rows.subspan(first, std::min(rows.size() - first, std::size_t(capacity_)));
      batch_.gather(part, layers_.input());
      layers_.forward({batch_.rows(), false, seed_, 0});
      batch_.score(layers_.logits(), nullptr,
                   scores.probabilities.data() + first * std::size_t(model_.classes()));
      scores.loss = batch_.add_losses(scores.loss);
      scores.correct += batch_.correct();
    }
    swap_average();
    if (!rows.empty()) scores.loss /= double(rows.size());
    return scores;
  }

  double penalty() override { return penalty_of(average_.empty() ? arena_.data() : average_.data()); }

  std::vector<float> export_weights() override {
    std::vector<float> weights(arena_.begin(), arena_.end());
    std::copy(average_.begin(), average_.end(), weights.begin());
    return weights;
  }

  StepState export_state() override {
    StepState state{.step = step_, .arena = {arena_.begin(), arena_.end()}, .metrics = metrics_};
    state.average.assign(average_.begin(), average_.end());
    for (const auto& s : slots_) state.slots.emplace_back(s.begin(), s.end());
    return state;
  }

  void import_state(const StepState& state) override {
    if (state.arena.size() != arena_.size() || state.slots.size() != slots_.size() ||
        state.average.size() != average_.size())
      throw std::logic_error("a state of another model");
    require_generators(state, "", {});
    step_ = state.step;
    metrics_ = state.metrics;
    std::copy(state.arena.begin(), state.arena.end(), arena_.data());
    std::copy(state.average.begin(), state.average.end(), average_.data());
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

  /// The sum of the penalties of these weights, laid out as what is trained of the arena.
  double penalty_of(const float* weights) {
    double total = 0;
    bool any = false;
    for (const auto& s : chunks_) any |= s.penalty.l1 > 0 || s.penalty.l2 > 0;
    if (!any) return 0;
    over_chunks([&](const Chunk& s) {
      return s.penalty.l1 > 0 || s.penalty.l2 > 0
                 ? penalty_sum(weights + s.offset, s.size, s.penalty.l1, s.penalty.l2)
                 : 0.0;
    });
    for (const double p : partial_) total += p;
    return total;
  }

  /// partial_[i] = of(chunk i)
  template <class Of>
  void over_chunks(const Of& of) {
    partial_.resize(chunks_.size());
    pool_.parallel_for(std::int64_t(chunks_.size()),
                       [&](std::int64_t i, int) { partial_[std::size_t(i)] = of(chunks_[std::size_t(i)]); });
  }

  /// The penalties enter the gradients, and these are clipped.
  void clip() {
    const float bound = clipping_->by == GradientClipping::By::value ? float(clipping_->bound) : INFINITY;
    over_chunks([&](const Chunk& s) {
      return penalise(gradients_.data() + s.offset, arena_.data() + s.offset, s.size, float(s.penalty.l1),
                      float(2 * s.penalty.l2), bound);
    });
    double all = 0;
    std::vector<double> squares(trainable_.size());
    for (std::size_t i = 0; i < chunks_.size(); ++i)
      squares[chunks_[i].trainable] += partial_[i], all += partial_[i];
    metrics_.gradient_norm_sum += std::sqrt(all);
    if (!clipping_->scales()) return;
    if (clipping_->by == GradientClipping::By::global_norm) squares.assign(squares.size(), all);
    pool_.parallel_for(std::int64_t(chunks_.size()), [&](std::int64_t i, int) {
      const auto& s = chunks_[std::size_t(i)];
      scale(gradients_.data() + s.offset, s.size, clipping_->factor(squares[s.trainable]));
    });
  }

  /// The average takes the place of the weights that are trained, or gives it back.
  void swap_average() { std::swap_ranges(average_.begin(), average_.end(), arena_.begin()); }

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
             clipping_ ? nn::Penalty{} : parameter.penalty,
             learning_rate_,
             step_,
             optimizer_.weight_decay(parameter.spec)};
    for (std::size_t k = 0; k < slots_.size(); ++k) u.slots[k] = slots_[k].data() + offset;
    optimizer_.update(u);
    if (moving_average_) move_average(average_.data() + offset, u.parameters, count);
  }

  void move_average(float* __restrict average, float* __restrict p, std::int64_t count) const {
    const auto rule = moving_average_->at_step(step_);
    vectorised([&] {
      for (std::int64_t i = 0; i < count; ++i) rule(average[i], p[i]);
    });
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
  const Optimizer& optimizer_;
  ThreadPool& pool_;
  std::uint64_t seed_;
  double learning_rate_;
  std::optional<GradientClipping> clipping_;
  std::optional<MovingAverage> moving_average_;
  std::int64_t capacity_, step_ = 0;
  AlignedFloats arena_, gradients_, average_;  // the last: empty where none is kept
  CpuBatch batch_;
  nn::CpuLayers layers_;
  std::vector<AlignedFloats> slots_;
  std::array<AlignedFloats, 2> dy_;  // [capacity, widest of the layers]
  std::vector<Chunk> chunks_;
  std::vector<const Chunk*> waiting_;
  std::vector<const nn::Parameter*> trainable_;     // in the order of the arena
  std::vector<std::atomic<std::int64_t>> updated_;  // for each: elements moved in this step
  std::vector<double> partial_;
  Metrics metrics_;
};

}  // namespace

std::unique_ptr<TrainingStep> make_cpu_step(const StepOptions& options, ThreadPool& pool) {
  return std::make_unique<CpuStep>(options, pool);
}

}  // namespace timbre::training
