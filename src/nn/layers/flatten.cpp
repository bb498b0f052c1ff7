#include "nn/layers/flatten.hpp"

#include <nlohmann/json.hpp>

#include "nn/layers/keras_options.hpp"
#include "nn/layers/pass_through.hpp"
#include "nn/onnx.hpp"

namespace timbre::nn {

const config::Schema<FlattenOptions>& schema(config::of<FlattenOptions>) {
  static const auto s =
      config::Schema<FlattenOptions>("makes one vector of all values: (a, b, ...) to (a b ...,)");
  return s;
}

namespace {

class FlattenCpu final : public PassThroughCpu {
 public:
  FlattenCpu(const FlattenOptions&, const LayerBinding& binding) : PassThroughCpu(binding) {}
};

class FlattenLayer final : public config::WithOptions<Layer, FlattenOptions> {
 public:
  FlattenLayer(FlattenOptions options, std::int64_t) : WithOptions(options) {}
  Shape infer(const Shape& input) const override { return {input.size()}; }
  std::string keras_class() const override { return "Flatten"; }
  nlohmann::ordered_json keras_config() const override {
    return {{"trainable", true}, {"dtype", "float32"}, {"data_format", "channels_last"}};
  }
  std::string to_onnx(OnnxPlace& place) const override {
    return place.graph.add("Flatten", {place.x}, {{"axis", std::int64_t{1}}});
  }
};

const LayerRegistration<FlattenLayer, FlattenOptions> layer{{{"", {4, 3, 2}}, {"", {5}}}};
const CpuOps::Add<FlattenCpu, FlattenOptions> cpu;

}  // namespace
}  // namespace timbre::nn
