// flatten: (a, b, ...) -> (a * b * ...), the data in the order it lies in (H, W, C), as Keras's Flatten.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "nn/layers/keras_options.hpp"

namespace timbre::nn {
namespace {

struct FlattenOptions {};
const config::Schema<FlattenOptions>& schema(config::of<FlattenOptions>) {
  static const auto s = config::Schema<FlattenOptions>("one vector of all values of a row");
  return s;
}

class FlattenCpu final : public LayerOp {
 public:
  explicit FlattenCpu(const LayerBinding& binding)
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

class FlattenLayer final : public Layer {
 public:
  FlattenLayer(FlattenOptions options, std::int64_t) : options_(options) {}
  std::string_view type() const override { return "flatten"; }
  Shape infer(const Shape& input) const override { return {input.size()}; }
  config::Node dump() const override { return dump_layer(type(), options_); }
  std::string keras_class() const override { return "Flatten"; }
  nlohmann::ordered_json keras_config() const override {
    return {{"trainable", true}, {"dtype", "float32"}, {"data_format", "channels_last"}};
  }
  std::unique_ptr<LayerOp> make_cpu(const LayerBinding& binding) const override {
    return std::make_unique<FlattenCpu>(binding);
  }

 private:
  FlattenOptions options_;
};

const Registration<LayerType> registration{
    "flatten", layer_type<FlattenLayer, FlattenOptions>({{"", {4, 3, 2}}, {"", {5}}})};

}  // namespace
}  // namespace timbre::nn
