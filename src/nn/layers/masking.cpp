#include "nn/layers/masking.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "nn/layers/keras_options.hpp"
#include "nn/layers/sequence_as_picture.hpp"
#include "nn/onnx.hpp"

namespace timbre::nn {

const config::Schema<MaskingOptions>& schema(config::of<MaskingOptions>) {
  static const auto s =
      config::Schema<MaskingOptions>(
          "marks the steps of a sequence whose values are all one given number: lstm, gru and bidirectional "
          "skip them, global_average_pooling1d leaves them out; (T, F)")
          .field("mask_value", &MaskingOptions::mask_value,
                 "the number that every value of a masked step has, exactly; where masking is the first "
                 "layer, before features "
                 "are standardised")
          .shorthand();
  return s;
}

namespace {

class MaskingCpu final : public LayerOp {
 public:
  MaskingCpu(const MaskingOptions& options, const LayerBinding& binding)
      : binding_(binding), mask_value_(float(options.mask_value)) {}

  void forward(const StepContext& context, const float* x, float* y) override {
    const auto width = binding_.input[1];
    each_step(context, [&](std::int64_t i) {
      const float *from = x + i * width, *end = from + width;
      const bool counts = std::any_of(from, end, [&](float v) { return v != mask_value_; });
      binding_.mask[i] = counts;
      counts ? std::copy(from, end, y + i * width) : std::fill_n(y + i * width, width, 0.0f);
    });
  }
  void backward(const StepContext& context, const float*, const float*, float* dy, float* dx) override {
    if (!binding_.input_gradient) return;
    const auto width = binding_.input[1];
    each_step(context, [&](std::int64_t i) {
      if (binding_.mask[i])
        std::copy_n(dy + i * width, width, dx + i * width);
      else
        std::fill_n(dx + i * width, width, 0.0f);
    });
  }

 private:
  template <class Visit>
  void each_step(const StepContext& context, const Visit& visit) const {
    const auto steps = binding_.input[0];
    binding_.pool->parallel_for(context.rows, [&](std::int64_t row, int) {
      for (auto i = row * steps; i < (row + 1) * steps; ++i) visit(i);
    });
  }

  LayerBinding binding_;
  float mask_value_;
};

class MaskingLayer final : public config::WithOptions<Layer, MaskingOptions> {
 public:
  MaskingLayer(MaskingOptions options, std::int64_t) : WithOptions(options) {}
  Shape infer(const Shape& input) const override { return sequence(input); }
  MaskUse mask_use() const override { return MaskUse::makes; }
  std::string keras_class() const override { return "Masking"; }
  nlohmann::ordered_json keras_config() const override {
    return {{"trainable", true}, {"dtype", "float32"}, {"mask_value", options_.mask_value}};
  }
  std::string to_onnx(OnnxPlace& place) const override {
    auto& g = place.graph;
    const auto other =
        g.add("Not", {g.add("Equal", {place.x, g.number("mask_value", float(options_.mask_value))})});
    const auto counts = g.add("ReduceMax", {g.add("Cast", {other}, {{"to", std::int64_t{1}}})},
                              {{"axes", std::vector<std::int64_t>{2}}, {"keepdims", std::int64_t{1}}});
    place.mask = g.add("Squeeze", {counts, g.integers("coefficients", {2})});
    return g.add("Mul", {place.x, counts});
  }
};

const LayerRegistration<MaskingLayer, MaskingOptions> layer{{{"", {6, 3}}, {"{mask_value: -1.5}", {5, 2}}}};
const CpuOps::Add<MaskingCpu, MaskingOptions> cpu;

}  // namespace
}  // namespace timbre::nn
