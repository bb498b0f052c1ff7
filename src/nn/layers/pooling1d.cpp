#include "nn/layers/pooling1d.hpp"

#include <nlohmann/json.hpp>
#include <string_view>

#include "nn/layers/keras_options.hpp"
#include "nn/layers/sequence_as_picture.hpp"
#include "nn/onnx.hpp"

namespace timbre::nn {

namespace {

template <class Options>
config::Schema<Options> schema_of(std::string_view what) {
  return config::Schema<Options>(std::string(what))
      .field("pool_size", &Options::pool_size, "length of the window",
             config::between(std::int64_t{1}, std::int64_t{65536}))
      .field("strides", &Options::strides,
             "steps from window to window. null: pool_size, so that windows do not overlap",
             config::between(std::int64_t{1}, std::int64_t{65536}))
      .field("padding", &Options::padding, "what happens at the ends",
             config::choice_of({{"valid", "only windows that lie inside the sequence"},
                                {"same", "windows may reach over the ends"}}));
}

}  // namespace

const config::Schema<MaxPooling1DOptions>& schema(config::of<MaxPooling1DOptions>) {
  static const auto s = schema_of<MaxPooling1DOptions>(
      "the largest value under each window of a sequence (T, F), for each coefficient");
  return s;
}
const config::Schema<AveragePooling1DOptions>& schema(config::of<AveragePooling1DOptions>) {
  static const auto s = schema_of<AveragePooling1DOptions>(
      "the mean under each window of a sequence (T, F), for each coefficient");
  return s;
}

namespace {

template <class Options>
struct Pooling1DCpu {
  static std::unique_ptr<LayerOp> make(const Options& options, const LayerBinding& binding) {
    const auto over = over_picture(options);
    return CpuOps::make(OptionsRef(over), as_picture_binding(binding));
  }
};

template <class Options>
class Pooling1DLayer final : public config::WithOptions<Layer, Options> {
 public:
  Pooling1DLayer(Options options, std::int64_t) : config::WithOptions<Layer, Options>(std::move(options)) {
    if (!options_.strides) options_.strides = options_.pool_size;
  }

  Shape infer(const Shape& input) const override {
    return {steps_over(input, options_.pool_size, *options_.strides, options_.padding, "pool"), input[1]};
  }
  std::string keras_class() const override { return Options::largest ? "MaxPooling1D" : "AveragePooling1D"; }
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
        Options::largest ? "MaxPool" : "AveragePool", {onnx_sequence_turned(place, place.x)},
        onnx_window(axis_over(place.input, options_.pool_size, *options_.strides, options_.padding, "pool")));
    return onnx_sequence_turned(place, y);
  }

 private:
  using config::WithOptions<Layer, Options>::options_;
};

template <class Options>
using Register = LayerRegistration<Pooling1DLayer<Options>, Options>;
const Register<MaxPooling1DOptions> max_layer{
    {{"{pool_size: 3, strides: 2, padding: same}", {9, 5}}, {"{pool_size: 4}", {11, 3}}}};
const Register<AveragePooling1DOptions> average_layer{
    {{"{pool_size: 3, strides: 2, padding: same}", {9, 5}}, {"{pool_size: 4}", {11, 3}}}};
const CpuOps::Add<Pooling1DCpu<MaxPooling1DOptions>, MaxPooling1DOptions> max_cpu;
const CpuOps::Add<Pooling1DCpu<AveragePooling1DOptions>, AveragePooling1DOptions> average_cpu;

}  // namespace
}  // namespace timbre::nn
