#include "nn/layers/spatial_dropout.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/philox.hpp"
#include "core/simd.hpp"
#include "nn/layers/dropout_mask.hpp"
#include "nn/layers/keras_options.hpp"
#include "nn/onnx.hpp"

namespace timbre::nn {

const config::Schema<SpatialDropout1DOptions>& schema(config::of<SpatialDropout1DOptions>) {
  static const auto s =
      config::Schema<SpatialDropout1DOptions>(
          "in training, sets whole coefficients of a sequence (T, F) to 0 and scales the others up")
          .required("rate", &SpatialDropout1DOptions::rate, "share of the coefficients that is set to 0",
                    config::rate())
          .shorthand();
  return s;
}
const config::Schema<SpatialDropout2DOptions>& schema(config::of<SpatialDropout2DOptions>) {
  static const auto s =
      config::Schema<SpatialDropout2DOptions>(
          "in training, sets whole channels of a picture (H, W, C) to 0 and scales the others up")
          .required("rate", &SpatialDropout2DOptions::rate, "share of the channels that is set to 0",
                    config::rate())
          .shorthand();
  return s;
}

namespace {

template <class Options>
class SpatialDropoutCpu final : public LayerOp {
 public:
  SpatialDropoutCpu(const Options& options, const LayerBinding& binding)
      : binding_(binding),
        channels_(binding.input.back()),
        places_(binding.input.size() / channels_),
        rate_(float(options.rate)),
        scale_(float(1 / (1 - options.rate))) {}
  void forward(const StepContext& context, const float* x, float* y) override { run(context, x, y); }
  void backward(const StepContext& context, const float*, const float*, float* dy, float* dx) override {
    if (binding_.input_gradient) run(context, dy, dx);
  }

 private:
  void run(const StepContext& context, const float* from, float* to) {
    const auto size = places_ * channels_;
    if (!context.training || rate_ == 0) {
      if (from != to) std::copy_n(from, context.rows * size, to);
      return;
    }
    binding_.pool->parallel_for(context.rows, [&](std::int64_t row, int) {
      std::vector<float> mask(static_cast<std::size_t>(channels_));
      for (std::int64_t c = 0; c < channels_; ++c) {
        const auto e = std::uint64_t(row * channels_ + c);
        const auto words =
            philox(context.seed, stream::dropout + std::uint32_t(binding_.index), context.step, e / 4);
        mask[std::size_t(c)] = dropout_mask(words.v[e % 4], rate_, scale_);
      }
      vectorised([&] {
        for (std::int64_t p = 0; p < places_; ++p)
          for (std::int64_t c = 0; c < channels_; ++c)
            to[row * size + p * channels_ + c] = from[row * size + p * channels_ + c] * mask[std::size_t(c)];
      });
    });
  }

  LayerBinding binding_;
  std::int64_t channels_, places_;
  float rate_, scale_;
};

template <class Options>
class SpatialDropoutLayer final : public config::WithOptions<Layer, Options> {
 public:
  SpatialDropoutLayer(Options options, std::int64_t) : config::WithOptions<Layer, Options>(options) {}
  Shape infer(const Shape& input) const override {
    if (std::size_t(input.rank()) != Options::rank)
      fail_request("needs an input of rank {}, not {}",
                   Options::rank == 2 ? "2 (T, F)" : "3 (height, width, channels)", input.str());
    return input;
  }
  MaskUse mask_use() const override { return Options::rank == 2 ? MaskUse::passes : MaskUse::none; }
  std::string keras_class() const override {
    return Options::rank == 2 ? "SpatialDropout1D" : "SpatialDropout2D";
  }
  nlohmann::ordered_json keras_config() const override {
    // (Keras 3 takes no "trainable" here.)
    nlohmann::ordered_json config{{"dtype", "float32"}, {"rate", this->options_.rate}};
    if (Options::rank == 3) config["data_format"] = "channels_last";
    return config;
  }
  std::string to_onnx(OnnxPlace& place) const override { return place.x; }  // it works in training alone
  void set_dropout(double rate) override { this->options_.rate = rate; }
};

template <class Options>
struct Register {
  explicit Register(std::vector<LayerExample> examples) : layer(std::move(examples)) {}
  LayerRegistration<SpatialDropoutLayer<Options>, Options> layer;
  CpuOps::Add<SpatialDropoutCpu<Options>, Options> cpu;
};
const Register<SpatialDropout1DOptions> one{{{"0.4", {6, 5}}, {"0", {5, 3}}}};
const Register<SpatialDropout2DOptions> two{{{"0.4", {4, 3, 5}}}};

}  // namespace
}  // namespace timbre::nn
