#include "nn/layers/max_pooling1d.hpp"

#include <nlohmann/json.hpp>

#include "nn/layers/keras_options.hpp"
#include "nn/layers/sequence_as_picture.hpp"
#include "nn/onnx.hpp"

namespace timbre::nn {

const config::Schema<MaxPooling1DOptions>& schema(config::of<MaxPooling1DOptions>) {
  static const auto s =
      config::Schema<MaxPooling1DOptions>(
          "the largest value under each window of a sequence (T, F), for each coefficient")
          .field("pool_size", &MaxPooling1DOptions::pool_size, "length of the window",
                 config::between(std::int64_t{1}, std::int64_t{65536}))
          .field("strides", &MaxPooling1DOptions::strides,
                 "steps from window to window. null: pool_size, so that windows do not overlap",
                 config::between(std::int64_t{1}, std::int64_t{65536}))
          .field("padding", &MaxPooling1DOptions::padding, "what happens at the ends",
                 config::choice_of({{"valid", "only windows that lie inside the sequence"},
                                    {"same", "windows may reach over the ends"}}));
  return s;
}

namespace {

struct MaxPooling1DCpu {
  static std::unique_ptr<LayerOp> make(const MaxPooling1DOptions& options, const LayerBinding& binding) {
    const auto over = over_picture(options);
    return CpuOps::make(OptionsRef(over), as_picture_binding(binding));
  }
};

class MaxPooling1DLayer final : public config::WithOptions<Layer, MaxPooling1DOptions> {
 public:
  MaxPooling1DLayer(MaxPooling1DOptions options, std::int64_t) : WithOptions(std::move(options)) {
    if (!options_.strides) options_.strides = options_.pool_size;
  }

  Shape infer(const Shape& input) const override {
    return {steps_over(input, options_.pool_size, *options_.strides, options_.padding, "pool"), input[1]};
  }
  std::string keras_class() const override { return "MaxPooling1D"; }
  nlohmann::ordered_json keras_config() const override {
    return {{"trainable", true},
            {"dtype", "float32"},
            {"strides", nlohmann::ordered_json::array({*options_.strides})},
            {"pool_size", nlohmann::ordered_json::array({options_.pool_size})},
            {"padding", options_.padding},
            {"data_format", "channels_last"}};
  }
  std::string to_onnx(OnnxPlace& place) const override {
    const auto y = place.graph.add(
        "MaxPool", {onnx_sequence_turned(place, place.x)},
        onnx_window(axis_over(place.input, options_.pool_size, *options_.strides, options_.padding, "pool")));
    return onnx_sequence_turned(place, y);
  }
};

const LayerRegistration<MaxPooling1DLayer, MaxPooling1DOptions> layer{
    {{"{pool_size: 3, strides: 2, padding: same}", {9, 5}}, {"{pool_size: 4}", {11, 3}}}};
const CpuOps::Add<MaxPooling1DCpu, MaxPooling1DOptions> cpu;

}  // namespace
}  // namespace timbre::nn
