#include "nn/layers/skipping.hpp"

#include <algorithm>

#include "core/aligned.hpp"
#include "nn/onnx.hpp"

namespace timbre::nn {
namespace {

class SkippingCpu final : public LayerOp {
 public:
  SkippingCpu(std::unique_ptr<LayerOp> layer, const LayerBinding& binding, bool backwards, bool sequences)
      : layer_(std::move(layer)),
        binding_(binding),
        plan_{binding.input[0], backwards},
        sequences_(sequences),
        width_(binding.input[1]),
        units_(binding.output.back()),
        x_(std::size_t(binding.capacity * binding.input.size())),
        y_(std::size_t(binding.capacity * binding.input[0] * units_)),
        step_of_(std::size_t(binding.capacity * binding.input[0])),
        count_(step_of_.size()) {}

  void forward(const StepContext& context, const float* x, float* y) override {
    const auto steps = plan_.steps;
    binding_.pool->parallel_for(context.rows, [&](std::int64_t row, int) {
      auto* step_of = step_of_.data() + row * steps;
      plan_.find(binding_.mask + row * steps, step_of, count_.data() + row * steps);
      for (std::int64_t k = 0; k < steps; ++k) {
        float* to = x_.data() + (row * steps + plan_.time(k)) * width_;
        if (step_of[k] == steps)
          std::fill_n(to, width_, 0.0f);
        else
          std::copy_n(x + (row * steps + plan_.time(step_of[k])) * width_, width_, to);
      }
    });
    layer_->forward(context, x_.data(), y_.data());
    const auto outputs = sequences_ ? steps : 1;
    binding_.pool->parallel_for(context.rows, [&](std::int64_t row, int) {
      for (std::int64_t i = 0; i < outputs; ++i) {
        const auto n = count_[std::size_t(row * steps + (sequences_ ? i : steps - 1))];
        float* to = y + (row * outputs + i) * units_;
        if (n == 0)
          std::fill_n(to, units_, 0.0f);
        else
          std::copy_n(y_.data() + (row * steps + n - 1) * units_, units_, to);
      }
    });
  }

  void backward(const StepContext& context, const float*, const float*, float* dy, float* dx) override {
    const auto steps = plan_.steps;
    dy_.resize(y_.size());
    if (binding_.input_gradient) dx_.resize(x_.size());
    binding_.pool->parallel_for(context.rows, [&](std::int64_t row, int) {
      const auto* step_of = step_of_.data() + row * steps;
      const auto all = count_[std::size_t((row + 1) * steps - 1)];
      for (std::int64_t k = 0; k < steps; ++k) {
        float* to = dy_.data() + (row * steps + k) * units_;
        std::fill_n(to, units_, 0.0f);
        const auto add = [&](const float* from) {
          for (std::int64_t j = 0; j < units_; ++j) to[j] += from[j];
        };
        if (sequences_)
          for (auto [p, last] = stands_for(step_of, steps, k); p < last; ++p)
            add(dy + (row * steps + p) * units_);
        else if (k + 1 == all)
          add(dy + row * units_);
      }
    });
    layer_->backward(context, x_.data(), y_.data(), dy_.data(), dx_.data());
    if (!binding_.input_gradient) return;
    binding_.pool->parallel_for(context.rows, [&](std::int64_t row, int) {
      const auto* count = count_.data() + row * steps;
      for (std::int64_t p = 0; p < steps; ++p) {
        float* to = dx + (row * steps + plan_.time(p)) * width_;
        if (binding_.mask[row * steps + plan_.time(p)])
          std::copy_n(dx_.data() + (row * steps + plan_.time(count[p] - 1)) * width_, width_, to);
        else
          std::fill_n(to, width_, 0.0f);
      }
    });
  }

 private:
  std::unique_ptr<LayerOp> layer_;
  LayerBinding binding_;
  SkippedSteps plan_;
  bool sequences_;
  std::int64_t width_, units_;
  AlignedFloats x_, y_, dy_, dx_;              // of the layer, over the steps that count
  std::vector<std::int32_t> step_of_, count_;  // [capacity, T]
};

}  // namespace

std::unique_ptr<LayerOp> skip_masked_steps(std::unique_ptr<LayerOp> layer, const LayerBinding& binding,
                                           bool backwards, bool sequences) {
  return std::make_unique<SkippingCpu>(std::move(layer), binding, backwards, sequences);
}

std::string onnx_skip_masked_steps(OnnxPlace& place, bool backwards, bool sequences,
                                   const std::function<std::string(OnnxPlace&)>& layer) {
  auto& g = place.graph;
  const auto steps = place.input[0], units = place.output.back();
  const auto over = [&](const std::string& index, std::int64_t width) {  // [batch, n] to [batch, n, width]
    return g.add("Expand", {g.add("Unsqueeze", {index, g.integers("values", {2})}),
                            g.integers("width", {1, 1, width})});
  };
  const auto picked = [&](const std::string& from, const std::string& index, std::int64_t width) {
    return g.add("GatherElements", {from, over(index, width)}, {{"axis", std::int64_t{1}}});
  };
  // The steps that count come first, or last where the layer begins at the end; each kind in the order of time.
  std::vector<float> times;
  for (std::int64_t t = 0; t < steps; ++t) times.push_back(float(t));
  const auto key = g.add(
      backwards ? "Add" : "Sub",
      {g.constant("times", {1, steps}, times), g.add("Mul", {place.mask, g.number("steps", float(steps))})});
  const auto order =
      g.add("TopK", {key, g.integers("all", {steps})},
            {{"axis", std::int64_t{1}}, {"largest", std::int64_t{0}}, {"sorted", std::int64_t{1}}}, 1);
  OnnxPlace inner{g, picked(place.x, order, place.input[1]), place.input, {steps, units}, place.weights};
  const auto y = layer(inner);
  auto count =
      g.add("CumSum", {backwards ? onnx_reversed(g, place.mask, 1) : place.mask, g.integer("axis", 1)});
  if (!sequences)
    count = g.add("Slice",
                  {count, g.integers("from", {steps - 1}), g.integers("to", {steps}), g.integers("of", {1})});
  const auto zero = g.number("zero", 0), one = g.number("one", 1);
  const auto step =
      g.add("Cast", {g.add("Max", {g.add("Sub", {count, one}), zero})}, {{"to", std::int64_t{7}}});
  const auto any = g.add("Unsqueeze", {g.add("Min", {count, one}), g.integers("values", {2})});
  const auto out = g.add("Mul", {picked(y, step, units), any});
  return sequences ? out : g.add("Squeeze", {out, g.integers("step", {1})});
}

}  // namespace timbre::nn
