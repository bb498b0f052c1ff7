#include "nn/layers/permute.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "nn/layers/keras_options.hpp"
#include "nn/onnx.hpp"

namespace timbre::nn {

const config::Schema<PermuteOptions>& schema(config::of<PermuteOptions>) {
  static const auto s =
      config::Schema<PermuteOptions>("puts the axes into another order")
          .required("dims", &PermuteOptions::dims,
                    "the input's axes in their new order, counted from 1: [2, 1] makes (F, T) of (T, F)",
                    config::between(std::int64_t{1}, std::int64_t{4}))
          .shorthand();
  return s;
}

std::vector<std::int32_t> sources_of(const PermuteOptions& options, const Shape& input) {
  const auto rank = options.dims.size();
  std::vector<std::int64_t> stride(rank, 1), extent, step;
  for (auto i = rank - 1; i-- > 0;) stride[i] = stride[i + 1] * input[int(i) + 1];
  for (const auto d : options.dims)
    extent.push_back(input[int(d) - 1]), step.push_back(stride[std::size_t(d - 1)]);
  std::vector<std::int32_t> out(static_cast<std::size_t>(input.size()));
  std::vector<std::int64_t> at(rank, 0);
  for (auto& source : out) {
    std::int64_t from = 0;
    for (std::size_t i = 0; i < rank; ++i) from += at[i] * step[i];
    source = std::int32_t(from);
    for (auto i = rank; i-- > 0;) {
      if (++at[i] < extent[i]) break;
      at[i] = 0;
    }
  }
  return out;
}

namespace {

class PermuteCpu final : public LayerOp {
 public:
  PermuteCpu(const PermuteOptions& options, const LayerBinding& binding)
      : binding_(binding), source_(sources_of(options, binding.input)) {}
  void forward(const StepContext& context, const float* x, float* y) override {
    binding_.pool->parallel_for(context.rows, [&](std::int64_t row, int) {
      const auto first = row * std::ssize(source_);
      for (std::size_t i = 0; i < source_.size(); ++i) y[first + std::int64_t(i)] = x[first + source_[i]];
    });
  }
  void backward(const StepContext& context, const float*, const float*, float* dy, float* dx) override {
    if (!binding_.input_gradient) return;
    binding_.pool->parallel_for(context.rows, [&](std::int64_t row, int) {
      const auto first = row * std::ssize(source_);
      for (std::size_t i = 0; i < source_.size(); ++i) dx[first + source_[i]] = dy[first + std::int64_t(i)];
    });
  }

 private:
  LayerBinding binding_;
  std::vector<std::int32_t> source_;
};

class PermuteLayer final : public config::WithOptions<Layer, PermuteOptions> {
 public:
  PermuteLayer(PermuteOptions options, std::int64_t) : WithOptions(std::move(options)) {}
  Shape infer(const Shape& input) const override {
    auto sorted = options_.dims;
    std::sort(sorted.begin(), sorted.end());
    std::vector<std::int64_t> axes, extents;
    for (int i = 0; i < int(input.rank()); ++i) axes.push_back(i + 1);
    if (sorted != axes)
      fail_request("dims must be an order of 1 to {}, the axes of {}", input.rank(), input.str());
    for (const auto d : options_.dims) extents.push_back(input[int(d) - 1]);
    return Shape(std::move(extents));
  }
  std::string keras_class() const override { return "Permute"; }
  nlohmann::ordered_json keras_config() const override {
    return {{"trainable", true}, {"dtype", "float32"}, {"dims", options_.dims}};
  }
  std::string to_onnx(OnnxPlace& place) const override {
    auto axes = options_.dims;
    axes.insert(axes.begin(), 0);  // the batch
    return place.graph.add("Transpose", {place.x}, {{"perm", std::move(axes)}});
  }
};

const LayerRegistration<PermuteLayer, PermuteOptions> layer{{{"[2, 1]", {5, 3}}, {"[3, 1, 2]", {4, 3, 5}}}};
const CpuOps::Add<PermuteCpu, PermuteOptions> cpu;

}  // namespace
}  // namespace timbre::nn
