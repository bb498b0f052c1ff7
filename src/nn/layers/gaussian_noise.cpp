#include "nn/layers/gaussian_noise.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "nn/layers/gaussian_noise_rule.hpp"
#include "nn/layers/keras_options.hpp"
#include "nn/onnx.hpp"

namespace timbre::nn {

const config::Schema<GaussianNoiseOptions>& schema(config::of<GaussianNoiseOptions>) {
  static const auto s =
      config::Schema<GaussianNoiseOptions>("in training, adds normal noise to each value; any shape")
          .required("stddev", &GaussianNoiseOptions::stddev, "standard deviation of the noise",
                    config::between(0.0, 1e6))
          .shorthand();
  return s;
}

namespace {

class GaussianNoiseCpu final : public LayerOp {
 public:
  GaussianNoiseCpu(const GaussianNoiseOptions& options, const LayerBinding& binding)
      : binding_(binding), size_(binding.input.size()), stddev_(float(options.stddev)) {}

  void forward(const StepContext& context, const float* x, float* y) override {
    const auto count = context.rows * size_;
    if (!context.training || stddev_ == 0) {
      if (x != y) std::copy_n(x, count, y);
      return;
    }
    constexpr std::int64_t piece_blocks = 1024;
    const auto blocks = piece_count(count, 4), pieces = piece_count(blocks, piece_blocks);
    binding_.pool->parallel_for(pieces, [&](std::int64_t i, int) {
      for (auto block = i * piece_blocks; block < std::min(blocks, (i + 1) * piece_blocks); ++block) {
        const auto noise = normals_of(philox(context.seed, stream::dropout + std::uint32_t(binding_.index),
                                             context.step, std::uint64_t(block)));
        for (std::int64_t e = 4 * block; e < std::min(count, 4 * block + 4); ++e)
          y[e] = x[e] + stddev_ * noise.v[e % 4];
      }
    });
  }
  void backward(const StepContext& context, const float*, const float*, float* dy, float* dx) override {
    if (binding_.input_gradient && dx != dy) std::copy_n(dy, context.rows * size_, dx);
  }

 private:
  LayerBinding binding_;
  std::int64_t size_;
  float stddev_;
};

class GaussianNoiseLayer final : public config::WithOptions<Layer, GaussianNoiseOptions> {
 public:
  GaussianNoiseLayer(GaussianNoiseOptions options, std::int64_t) : WithOptions(options) {}
  Shape infer(const Shape& input) const override { return input; }
  MaskUse mask_use() const override { return MaskUse::passes; }
  std::string keras_class() const override { return "GaussianNoise"; }
  nlohmann::ordered_json keras_config() const override {
    return {{"trainable", true}, {"dtype", "float32"}, {"stddev", options_.stddev}};
  }
  std::string to_onnx(OnnxPlace& place) const override { return place.x; }  // it works in training alone
};

const LayerRegistration<GaussianNoiseLayer, GaussianNoiseOptions> layer{{{"0.3", {17}}, {"0", {5, 3}}}};
const CpuOps::Add<GaussianNoiseCpu, GaussianNoiseOptions> cpu;

}  // namespace
}  // namespace timbre::nn
