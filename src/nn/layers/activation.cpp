#include "nn/layers/activation.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "nn/activation_cpu.hpp"
#include "nn/layers/keras_options.hpp"
#include "nn/onnx.hpp"

namespace timbre::nn {

const config::Schema<ActivationOptions>& schema(config::of<ActivationOptions>) {
  static const auto s =
      config::Schema<ActivationOptions>("an activation function as a layer of its own; any shape")
          .required("activation", &ActivationOptions::activation,
                    "function applied to each value (softmax: over the last axis)",
                    config::one_of(all_activation_names()))
          .shorthand();
  return s;
}

namespace {

class ActivationCpu final : public LayerOp {
 public:
  ActivationCpu(const ActivationOptions& options, const LayerBinding& binding)
      : binding_(binding),
        activation_(activation_of(options.activation)),
        columns_(binding.input.back()),
        rows_each_(binding.input.size() / columns_) {
    if (binding.logits && activation_ == Activation::softmax) activation_ = Activation::linear;
  }
  void forward(const StepContext& context, const float* x, float* y) override {
    const auto rows = context.rows * rows_each_;
    if (x != y) std::copy_n(x, rows * columns_, y);
    apply_activation(*binding_.pool, activation_, nullptr, y, rows, columns_);
  }
  void backward(const StepContext& context, const float* x, const float* y, float* dy, float* dx) override {
    if (!binding_.input_gradient) return;
    const auto rows = context.rows * rows_each_;
    if (needs_input(activation_))
      return input_activation_gradient(*binding_.pool, activation_, x, dy, dx, rows * columns_);
    activation_gradient(*binding_.pool, activation_, y, dy, rows, columns_, nullptr, partial_);
    if (dx != dy) std::copy_n(dy, rows * columns_, dx);
  }

 private:
  LayerBinding binding_;
  Activation activation_;
  std::int64_t columns_, rows_each_;
  std::vector<float> partial_;
};

class ActivationLayer final : public config::WithOptions<Layer, ActivationOptions> {
 public:
  ActivationLayer(ActivationOptions options, std::int64_t) : WithOptions(std::move(options)) {}
  Shape infer(const Shape& input) const override {
    if (input.rank() == 0) fail_request("needs an input of rank 1 or more, not ()");
    return input;
  }
  MaskUse mask_use() const override { return MaskUse::passes; }
  std::string keras_class() const override { return "Activation"; }
  nlohmann::ordered_json keras_config() const override {
    return {{"trainable", true}, {"dtype", "float32"}, {"activation", options_.activation}};
  }
  std::string to_onnx(OnnxPlace& place) const override {
    return place.graph.activation(options_.activation, place.x);
  }
  bool ends_in_softmax() const override { return options_.activation == "softmax"; }
};

const LayerRegistration<ActivationLayer, ActivationOptions> layer{{{"relu", {7, 3}},
                                                                   {"tanh", {7, 3}},
                                                                   {"sigmoid", {21}},
                                                                   {"softmax", {11}},
                                                                   {"leaky_relu", {9}},
                                                                   {"selu", {7, 3}},
                                                                   {"silu", {13}},
                                                                   {"gelu", {5, 4}}}};
const CpuOps::Add<ActivationCpu, ActivationOptions> cpu;

}  // namespace
}  // namespace timbre::nn
