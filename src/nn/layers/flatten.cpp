#include "nn/layers/flatten.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "nn/layers/keras_options.hpp"
#include "nn/onnx.hpp"

namespace timbre::nn {

const config::Schema<FlattenOptions>& schema(config::of<FlattenOptions>) {
  static const auto s =
      config::Schema<FlattenOptions>("makes one vector of all values: (a, b, ...) to (a b ...,)");
  return s;
}

namespace {

class FlattenCpu final : public LayerOp {
 public:
  FlattenCpu(const FlattenOptions&, const LayerBinding& binding)
      : size_(binding.input.size()), input_gradient_(binding.input_gradient) {}
  void forward(const StepContext& context, const float* x, float* y) override {
    if (x != y) std::copy_n(x, context.rows * size_, y);
  }
  void backward(const StepContext& context, const float*, const float*, float* dy, float* dx) override {
    if (input_gradient_ && dx != dy) std::copy_n(dy, context.rows * size_, dx);
  }

 private:
  std::int64_t size_;
  bool input_gradient_;
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
