#include "nn/layers/random_crop.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "nn/layers/keras_options.hpp"
#include "nn/onnx.hpp"

namespace timbre::nn {

const config::Schema<RandomCropOptions>& schema(config::of<RandomCropOptions>) {
  static const auto s =
      config::Schema<RandomCropOptions>(
          "a window of the sequence (T, F): at a random place in training, else in the middle")
          .required("frames", &RandomCropOptions::frames, "steps of the window",
                    config::between(std::int64_t{1}, std::int64_t{1'000'000}))
          .unit("frames")
          .shorthand();
  return s;
}

namespace {

class RandomCropCpu final : public LayerOp {
 public:
  RandomCropCpu(const RandomCropOptions& options, const LayerBinding& binding)
      : binding_(binding), places_(binding.input[0] - options.frames + 1) {}
  void forward(const StepContext& context, const float* x, float* y) override {
    each_row(context, [&](std::int64_t row, std::int64_t first) {
      std::copy_n(x + row * whole_ + first, window_, y + row * window_);
    });
  }
  void backward(const StepContext& context, const float*, const float*, float* dy, float* dx) override {
    if (!binding_.input_gradient) return;
    each_row(context, [&](std::int64_t row, std::int64_t first) {
      std::fill_n(dx + row * whole_, whole_, 0.0f);
      std::copy_n(dy + row * window_, window_, dx + row * whole_ + first);
    });
  }

 private:
  /// body(row, first): the first value of its window.
  template <class Body>
  void each_row(const StepContext& context, const Body& body) const {
    const CropWindows windows{places_, context.seed, std::uint64_t(binding_.index)};
    binding_.pool->parallel_for(context.rows, [&](std::int64_t row, int) {
      body(row, windows.start(context.training, context.step, std::uint64_t(row)) * binding_.input[1]);
    });
  }

  LayerBinding binding_;
  std::int64_t places_, whole_ = binding_.input.size(), window_ = binding_.output.size();
};

class RandomCropLayer final : public config::WithOptions<Layer, RandomCropOptions> {
 public:
  RandomCropLayer(RandomCropOptions options, std::int64_t) : WithOptions(options) {}
  Shape infer(const Shape& input) const override {
    if (input.rank() != 2) fail_request("needs an input of rank 2 (T, F), not {}", input.str());
    if (input[0] < options_.frames)
      fail_request("a window of {} frames does not fit into {}", options_.frames, input.str());
    return {options_.frames, input[1]};
  }
  std::string keras_class() const override { return "Cropping1D"; }
  nlohmann::ordered_json keras_config() const override {
    return {{"trainable", true}, {"dtype", "float32"}, {"cropping", {0, 0}}};
  }
  nlohmann::ordered_json keras_config_for(const Shape& input) const override {
    auto config = keras_config();
    const auto first = middle(input);
    config["cropping"] = {first, input[0] - options_.frames - first};
    return config;
  }
  std::string to_onnx(OnnxPlace& place) const override {
    auto& g = place.graph;
    const auto first = middle(place.input);
    return g.add("Slice", {place.x, g.integers("starts", {first}),
                           g.integers("ends", {first + options_.frames}), g.integers("axes", {1})});
  }

 private:
  std::int64_t middle(const Shape& input) const { return (input[0] - options_.frames) / 2; }
};

const LayerRegistration<RandomCropLayer, RandomCropOptions> layer{{{"4", {9, 3}}, {"{frames: 5}", {5, 2}}}};
const CpuOps::Add<RandomCropCpu, RandomCropOptions> cpu;

}  // namespace
}  // namespace timbre::nn
