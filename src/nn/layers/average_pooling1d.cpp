#include "nn/layers/average_pooling1d.hpp"

#include <nlohmann/json.hpp>

#include "nn/layers/keras_options.hpp"
#include "nn/layers/sequence_as_picture.hpp"
#include "nn/onnx.hpp"

namespace timbre::nn {

const config::Schema<AveragePooling1DOptions>& schema(config::of<AveragePooling1DOptions>) {
  static const auto s =
      config::Schema<AveragePooling1DOptions>(
          "the mean under each window of a sequence (T, F), for each coefficient")
          .field("pool_size", &AveragePooling1DOptions::pool_size, "length of the window",
                 config::between(std::int64_t{1}, std::int64_t{65536}))
          .field("strides", &AveragePooling1DOptions::strides,
                 "steps from window to window. null: pool_size, so that windows do not overlap",
                 config::between(std::int64_t{1}, std::int64_t{65536}))
          .field("padding", &AveragePooling1DOptions::padding, "what happens at the ends",
                 config::choice_of({{"valid", "only windows that lie inside the sequence"},
                                    {"same", "windows may reach over the ends"}}));
  return s;
}

namespace {

struct AveragePooling1DCpu {
  static std::unique_ptr<LayerOp> make(const AveragePooling1DOptions& options, const LayerBinding& binding) {
    const auto over = over_picture(options);
    return CpuOps::make(OptionsRef(over), as_picture_binding(binding));
  }
};

class AveragePooling1DLayer final : public config::WithOptions<Layer, AveragePooling1DOptions> {
 public:
  AveragePooling1DLayer(AveragePooling1DOptions options, std::int64_t) : WithOptions(std::move(options)) {
    if (!options_.strides) options_.strides = options_.pool_size;
  }

  Shape infer(const Shape& input) const override {
    return {steps_over(input, options_.pool_size, *options_.strides, options_.padding, "pool"), input[1]};
  }
  std::string keras_class() const override { return "AveragePooling1D"; }
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
        "AveragePool", {onnx_sequence_turned(place, place.x)},
        onnx_window(axis_over(place.input, options_.pool_size, *options_.strides, options_.padding, "pool")));
    return onnx_sequence_turned(place, y);
  }
};

const LayerRegistration<AveragePooling1DLayer, AveragePooling1DOptions> layer{
    {{"{pool_size: 3, strides: 2, padding: same}", {9, 5}}, {"{pool_size: 4}", {11, 3}}}};
const CpuOps::Add<AveragePooling1DCpu, AveragePooling1DOptions> cpu;

}  // namespace
}  // namespace timbre::nn
