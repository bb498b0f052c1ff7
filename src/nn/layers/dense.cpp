#include "nn/layers/dense.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/gemm.hpp"
#include "nn/activation_cpu.hpp"
#include "nn/layers/keras_options.hpp"
#include "nn/onnx.hpp"

namespace timbre::nn {

const config::Schema<DenseOptions>& schema(config::of<DenseOptions>) {
  static const auto s = config::Schema<DenseOptions>(
                            "fully connected: activation(x W + b) over the last axis, (N,) to (units,)")
                            .required("units", &DenseOptions::units,
                                      "size of the output. The word classes stands for the number of genres")
                            .field("activation", &DenseOptions::activation,
                                   "function applied to the output. The last layer needs softmax",
                                   config::one_of(activation_names()))
                            .field("use_bias", &DenseOptions::use_bias, "whether a bias is added")
                            .field("kernel_regulariser", &DenseOptions::kernel_regulariser,
                                   "penalty on the kernel; replaces regularisation.l1 and l2 for it")
                            .shorthand();
  return s;
}

namespace {

class DenseCpu final : public LayerOp {
 public:
  DenseCpu(const DenseOptions& options, const LayerBinding& binding)
      : binding_(binding),
        activation_(activation_of(options.activation)),
        use_bias_(options.use_bias),
        in_(binding.input.back()),
        out_(binding.output.back()),
        rows_each_(binding.input.size() / in_) {
    if (binding.logits && activation_ == Activation::softmax) activation_ = Activation::linear;
  }

  void forward(const StepContext& context, const float* x, float* y) override {
    const auto rows = context.rows * rows_each_;
    const float* bias = use_bias_ ? binding_.parameters[1] : nullptr;
    const bool whole_rows = activation_ == Activation::softmax;
    gemm(*binding_.pool, Op::none, Op::none, rows, out_, in_, x, in_, kernel(), out_, Store::set, y, out_,
         [&](Tile tile) { activate(whole_rows ? Activation::linear : activation_, bias, y, out_, tile); });
    if (whole_rows) apply_activation(*binding_.pool, activation_, nullptr, y, rows, out_);
  }

  void backward(const StepContext& context, const float* x, const float* y, float* dy, float* dx) override {
    const auto rows = context.rows * rows_each_;
    const auto& gradients = binding_.gradients;
    float* d_bias = use_bias_ && !gradients.empty() ? gradients[1] : nullptr;
    activation_gradient(*binding_.pool, activation_, y, dy, rows, out_, d_bias, partial_);
    if (binding_.input_gradient)
      gemm(*binding_.pool, Op::none, Op::transpose, rows, in_, out_, dy, out_, kernel(), out_, Store::set, dx,
           in_);
    if (gradients.empty()) return;
    if (d_bias) binding_.gradient_ready(d_bias, out_);
    kernel_gradient(rows, x, dy);
  }

 private:
  // dW in blocks of whole rows, so that what follows finds each of them in the cache.
  void kernel_gradient(std::int64_t rows, const float* x, const float* dz) {
    constexpr std::int64_t block_elements = 1 << 15, smallest = 1 << 19;
    dz_.pack(Op::none, rows, out_, dz, out_);
    const auto blocks = piece_count(in_, std::max<std::int64_t>(12, block_elements / out_ / 12 * 12));
    const auto block = [&](std::int64_t i, int) {
      const auto part = piece_of(in_, blocks, i);
      float* to = binding_.gradients[0] + part.begin * out_;
      gemm(Op::transpose, part.size(), x + part.begin, in_, dz_.view(), Store::set, to, out_);
      binding_.gradient_ready(to, part.size() * out_);
    };
    if (in_ * out_ * rows < smallest)  // less than waking a thread costs
      for (std::int64_t i = 0; i < blocks; ++i) block(i, 0);
    else
      binding_.pool->parallel_for(blocks, block);
  }

  const float* kernel() const { return binding_.parameters[0]; }

  LayerBinding binding_;
  Activation activation_;
  bool use_bias_;
  std::int64_t in_, out_, rows_each_;
  std::vector<float> partial_;
  PackedMatrix dz_;
};

class DenseLayer final : public config::WithOptions<Layer, DenseOptions> {
 public:
  DenseLayer(DenseOptions options, std::int64_t classes)
      : WithOptions(std::move(options)), units_(options_.units.classes ? classes : options_.units.value) {}

  Shape infer(const Shape& input) const override {
    if (input.rank() != 1 && input.rank() != 2)
      fail_request(
          "needs an input of rank 1 (N,) or 2 (T, F), not {}; a flatten layer makes one vector of it",
          input.str());
    auto extents = input.extents();
    extents.back() = units_;
    return Shape(std::move(extents));
  }
  std::vector<ParameterSpec> parameters(const Shape& input) const override {
    std::vector<ParameterSpec> out;
    out.push_back({.name = "kernel",
                   .shape = {input.back(), units_},
                   .initialiser = Initialiser::glorot_uniform,
                   .global_penalty = true,
                   .penalty = options_.kernel_regulariser});
    if (options_.use_bias) out.push_back({.name = "bias", .shape = {units_}});
    return out;
  }
  MaskUse mask_use() const override { return MaskUse::passes; }
  std::string keras_class() const override { return "Dense"; }
  nlohmann::ordered_json keras_config() const override {
    return {{"trainable", true},
            {"dtype", "float32"},
            {"units", units_},
            {"activation", options_.activation},
            {"use_bias", options_.use_bias},
            {"kernel_regularizer", keras_regularizer(options_.kernel_regulariser)}};
  }
  std::string to_onnx(OnnxPlace& place) const override {
    auto& g = place.graph;
    const auto kernel = g.constant("kernel", {place.input.back(), units_},
                                   {place.weights[0].begin(), place.weights[0].end()});
    auto y = g.add("MatMul", {place.x, kernel});
    if (options_.use_bias)
      y = g.add("Add", {y, g.constant("bias", {units_}, {place.weights[1].begin(), place.weights[1].end()})});
    return g.activation(options_.activation, y);
  }
  bool ends_in_softmax() const override { return options_.activation == "softmax"; }

 private:
  std::int64_t units_;
};

const LayerRegistration<DenseLayer, DenseOptions> layer{{{"{units: 5, activation: relu}", {13}},
                                                         {"{units: 3, use_bias: false}", {4, 6}},
                                                         {"{units: classes, activation: softmax}", {8}}}};
const CpuOps::Add<DenseCpu, DenseOptions> cpu;

}  // namespace
}  // namespace timbre::nn
