#include "nn/layers/conv1d.hpp"

#include <nlohmann/json.hpp>

#include "nn/activation.hpp"
#include "nn/layers/keras_options.hpp"
#include "nn/layers/sequence_as_picture.hpp"
#include "nn/onnx.hpp"

namespace timbre::nn {

const config::Schema<Conv1DOptions>& schema(config::of<Conv1DOptions>) {
  static const auto s =
      config::Schema<Conv1DOptions>(
          "filters that slide along a sequence: activation(x * W + b), (T, F) to (T', filters)")
          .required("filters", &Conv1DOptions::filters,
                    "number of filters, and of coefficients of the output",
                    config::between(std::int64_t{1}, std::int64_t{65536}))
          .required("kernel_size", &Conv1DOptions::kernel_size, "length of the window",
                    config::between(std::int64_t{1}, std::int64_t{65536}))
          .field("strides", &Conv1DOptions::strides, "steps from window to window",
                 config::between(std::int64_t{1}, std::int64_t{65536}))
          .field("padding", &Conv1DOptions::padding, "what happens at the ends",
                 config::choice_of({{"valid", "only windows that lie inside the sequence"},
                                    {"same", "zeros at the ends, so that strides of 1 keep its length"}}))
          .field("activation", &Conv1DOptions::activation, "function applied to the output",
                 config::one_of(activation_names()))
          .field("use_bias", &Conv1DOptions::use_bias, "whether a bias is added")
          .field("kernel_regulariser", &Conv1DOptions::kernel_regulariser,
                 "penalty on the kernel; replaces regularisation.l1 and l2 for it");
  return s;
}

namespace {

struct Conv1DCpu {
  static std::unique_ptr<LayerOp> make(const Conv1DOptions& options, const LayerBinding& binding) {
    const auto over = over_picture(options);
    return CpuOps::make(OptionsRef(over), as_picture_binding(binding));
  }
};

class Conv1DLayer final : public config::WithOptions<Layer, Conv1DOptions> {
 public:
  Conv1DLayer(Conv1DOptions options, std::int64_t) : WithOptions(std::move(options)) {}

  Shape infer(const Shape& input) const override {
    return {steps_over(input, options_.kernel_size, options_.strides, options_.padding, "kernel"),
            options_.filters};
  }
  std::vector<ParameterSpec> parameters(const Shape& input) const override {
    std::vector<ParameterSpec> out;
    out.push_back({.name = "kernel",
                   .shape = {options_.kernel_size, input.back(), options_.filters},
                   .initialiser = Initialiser::glorot_uniform,
                   .global_penalty = true,
                   .penalty = options_.kernel_regulariser});
    if (options_.use_bias) out.push_back({.name = "bias", .shape = {options_.filters}});
    return out;
  }
  std::string keras_class() const override { return "Conv1D"; }
  nlohmann::ordered_json keras_config() const override {
    return {{"trainable", true},
            {"dtype", "float32"},
            {"filters", options_.filters},
            {"kernel_size", nlohmann::ordered_json::array({options_.kernel_size})},
            {"strides", nlohmann::ordered_json::array({options_.strides})},
            {"padding", options_.padding},
            {"data_format", "channels_last"},
            {"dilation_rate", nlohmann::ordered_json::array({1})},
            {"groups", 1},
            {"activation", options_.activation},
            {"use_bias", options_.use_bias},
            {"kernel_regularizer", keras_regularizer(options_.kernel_regulariser)}};
  }
  std::string to_onnx(OnnxPlace& place) const override {
    // (k, F, filters) becomes (filters, F, k).
    const auto taps = options_.kernel_size, channels = place.input[1], filters = options_.filters;
    std::vector<float> kernel(place.weights[0].size());
    for (std::int64_t t = 0; t < taps; ++t)
      for (std::int64_t c = 0; c < channels; ++c)
        for (std::int64_t f = 0; f < filters; ++f)
          kernel[std::size_t((f * channels + c) * taps + t)] =
              place.weights[0][std::size_t((t * channels + c) * filters + f)];
    std::vector<std::string> inputs{
        onnx_sequence_turned(place, place.x),
        place.graph.constant("kernel", {filters, channels, taps}, std::move(kernel))};
    if (options_.use_bias)
      inputs.push_back(
          place.graph.constant("bias", {filters}, {place.weights[1].begin(), place.weights[1].end()}));
    const auto y = place.graph.add(
        "Conv", std::move(inputs),
        onnx_window(axis_over(place.input, taps, options_.strides, options_.padding, "kernel")));
    return place.graph.activation(options_.activation, onnx_sequence_turned(place, y));
  }
};

const LayerRegistration<Conv1DLayer, Conv1DOptions> layer{
    {{"{filters: 5, kernel_size: 3, activation: relu}", {9, 4}},
     {"{filters: 3, kernel_size: 4, strides: 2, padding: same, use_bias: false}", {11, 5}}}};
const CpuOps::Add<Conv1DCpu, Conv1DOptions> cpu;

}  // namespace
}  // namespace timbre::nn
