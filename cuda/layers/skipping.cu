// Moves the steps that count together before a recurrent layer, and its outputs apart behind it.
#include "cuda/layers/skipping.hpp"
#include "cuda/support/divisor.cuh"
#include "cuda/support/elementwise.cuh"

namespace timbre::cuda {

/// For one row of each thread: see SkippedSteps::find.
struct FindSteps {
  nn::SkippedSteps plan;
  const std::uint8_t* mask;
  std::int32_t *step_of, *count;
  template <class Index>
  __device__ void operator()(Index row) const {
    const std::int64_t at = static_cast<std::int64_t>(row) * plan.steps;
    plan.find(mask + at, step_of + at, count + at);
  }
};

/// to [rows, T, width], in the layer's order, from x [rows, T, width]
struct MoveTogether {
  nn::SkippedSteps plan;
  Divisor steps, width;
  const std::int32_t* step_of;
  const float* x;
  float* to;
  template <class Index>
  __device__ void operator()(Index i) const {
    const auto [cell, f] = width(i);
    const auto [row, k] = steps(cell);
    const std::int64_t at = static_cast<std::int64_t>(row) * plan.steps;
    const std::int64_t from = step_of[at + static_cast<std::int64_t>(k)];
    const std::int64_t to_step = at + plan.time(static_cast<std::int64_t>(k));
    to[to_step * width.divisor() + f] =
        from == plan.steps ? 0.0f : x[(at + plan.time(from)) * width.divisor() + f];
  }
};

/// y [rows, outputs, units] from the layer's [rows, T, units]; one output is the last.
struct MoveApart {
  std::int64_t all_steps;
  Divisor outputs, units;
  const std::int32_t* count;
  const float* from;
  float* y;
  template <class Index>
  __device__ void operator()(Index i) const {
    const auto [cell, j] = units(i);
    const auto [row, p] = outputs(cell);
    const std::int64_t at = static_cast<std::int64_t>(row) * all_steps;
    const std::int64_t step = outputs.divisor() == 1 ? all_steps - 1 : static_cast<std::int64_t>(p);
    const std::int32_t n = count[at + step];
    y[i] = n == 0 ? 0.0f : from[(at + n - 1) * units.divisor() + j];
  }
};

/// The gradient of MoveApart: to [rows, T, units] from dy [rows, outputs, units].
struct GatherGradient {
  std::int64_t outputs;
  Divisor steps, units;
  const std::int32_t *step_of, *count;
  const float* dy;
  float* to;
  template <class Index>
  __device__ void operator()(Index i) const {
    const auto [cell, j] = units(i);
    const auto [row, k] = steps(cell);
    const std::int64_t all = steps.divisor(), at = static_cast<std::int64_t>(row) * all;
    float sum = 0;
    if (outputs > 1) {
      const auto range = nn::stands_for(step_of + at, all, static_cast<std::int64_t>(k));
      for (std::int64_t p = range.first; p < range.last; ++p) sum += dy[(at + p) * units.divisor() + j];
    } else if (static_cast<std::int64_t>(k) + 1 == count[at + all - 1]) {
      sum = dy[static_cast<std::int64_t>(row) * units.divisor() + j];
    }
    to[i] = sum;
  }
};

/// The gradient of MoveTogether: dx [rows, T, width] from the layer's.
struct SpreadGradient {
  nn::SkippedSteps plan;
  Divisor steps, width;
  const std::uint8_t* mask;
  const std::int32_t* count;
  const float* from;
  float* dx;
  template <class Index>
  __device__ void operator()(Index i) const {
    const auto [cell, f] = width(i);
    const auto [row, t] = steps(cell);
    const std::int64_t at = static_cast<std::int64_t>(row) * plan.steps;
    const std::int64_t p = plan.time(static_cast<std::int64_t>(t));
    dx[i] = mask[cell] ? from[(at + plan.time(count[at + p] - 1)) * width.divisor() + f] : 0.0f;
  }
};

// ---- The host's half

namespace {

class SkippingDevice final : public CudaLayer {
 public:
  SkippingDevice(std::unique_ptr<CudaLayer> layer, const CudaBinding& binding, bool backwards, bool sequences)
      : layer_(std::move(layer)),
        binding_(binding),
        plan_{binding.input[0], backwards},
        outputs_(sequences ? binding.input[0] : 1),
        units_(binding.output.back()) {
    const auto cells = std::size_t(binding.capacity * plan_.steps),
               in = cells * std::size_t(binding.input[1]), out = cells * std::size_t(units_);
    step_of_ = DeviceArray<std::int32_t>(cells), count_ = DeviceArray<std::int32_t>(cells);
    x_ = DeviceArray<float>(in), y_ = DeviceArray<float>(out);
    if (!binding.trained) return;
    dy_ = DeviceArray<float>(out);
    if (binding.input_gradient) dx_ = DeviceArray<float>(in);
  }

  void forward(bool training, const float* x, float* y) override {
    const auto stream = binding_.tools->stream;
    const auto width = binding_.input[1];
    for_each_element(stream, binding_.capacity,
                     FindSteps{plan_, binding_.mask, step_of_.data(), count_.data()});
    for_each_element(
        stream, std::int64_t(x_.size()),
        MoveTogether{plan_, Divisor(plan_.steps), Divisor(width), step_of_.data(), x, x_.data()});
    layer_->forward(training, x_.data(), y_.data());
    for_each_element(stream, binding_.capacity * outputs_ * units_,
                     MoveApart{plan_.steps, Divisor(outputs_), Divisor(units_), count_.data(), y_.data(), y});
  }

  void backward(const float*, const float*, float* dy, float* dx) override {
    const auto stream = binding_.tools->stream;
    for_each_element(stream, std::int64_t(dy_.size()),
                     GatherGradient{outputs_, Divisor(plan_.steps), Divisor(units_), step_of_.data(),
                                    count_.data(), dy, dy_.data()});
    layer_->backward(x_.data(), y_.data(), dy_.data(), dx_.data());
    if (binding_.input_gradient)
      for_each_element(stream, std::int64_t(dx_.size()),
                       SpreadGradient{plan_, Divisor(plan_.steps), Divisor(binding_.input[1]), binding_.mask,
                                      count_.data(), dx_.data(), dx});
  }

  std::string note() const override { return layer_->note(); }
  const DeviceArray<std::int32_t>* generator() const override { return layer_->generator(); }

 private:
  std::unique_ptr<CudaLayer> layer_;
  CudaBinding binding_;
  nn::SkippedSteps plan_;
  std::int64_t outputs_, units_;
  DeviceArray<float> x_, y_, dy_, dx_;         // of the layer, over the steps that count
  DeviceArray<std::int32_t> step_of_, count_;  // [capacity, T]
};

}  // namespace

std::unique_ptr<CudaLayer> skip_masked_steps(std::unique_ptr<CudaLayer> layer, const CudaBinding& binding,
                                             bool backwards, bool sequences) {
  return std::make_unique<SkippingDevice>(std::move(layer), binding, backwards, sequences);
}

}  // namespace timbre::cuda
