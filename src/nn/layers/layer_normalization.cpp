#include "nn/layers/layer_normalization.hpp"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "core/simd.hpp"
#include "nn/layers/keras_options.hpp"
#include "nn/onnx.hpp"

namespace timbre::nn {

const config::Schema<LayerNormalizationOptions>& schema(config::of<LayerNormalizationOptions>) {
  static const auto s =
      config::Schema<LayerNormalizationOptions>(
          "brings the values of each place, over the last axis, to mean 0 and deviation 1; any shape")
          .field("epsilon", &LayerNormalizationOptions::epsilon,
                 "added to the variance, so that nothing is divided by 0", config::above(0.0))
          .field("center", &LayerNormalizationOptions::center, "whether a learned offset, beta, is added")
          .field("scale", &LayerNormalizationOptions::scale, "whether a learned factor, gamma, multiplies");
  return s;
}

namespace {

class LayerNormalizationCpu final : public LayerOp {
 public:
  LayerNormalizationCpu(const LayerNormalizationOptions& options, const LayerBinding& binding)
      : binding_(binding),
        options_(options),
        channels_(binding.input.back()),
        places_(binding.input.size() / channels_) {}

  void forward(const StepContext& context, const float* x, float* y) override {
    const auto places = context.rows * places_;
    if (context.training) mean_.resize(std::size_t(places)), inverse_.resize(std::size_t(places));
    for_pieces(places, [&](Piece piece, std::int64_t) {
      vectorised([&] {
        for (auto p = piece.begin; p < piece.end; ++p) {
          const auto [mean, inverse] = moments(x + p * channels_);
          if (context.training) mean_[std::size_t(p)] = mean, inverse_[std::size_t(p)] = inverse;
          normalise(x + p * channels_, mean, inverse, y + p * channels_);
        }
      });
    });
  }

  void backward(const StepContext& context, const float* x, const float*, float* dy, float* dx) override {
    const auto places = context.rows * places_;
    const auto pieces = pieces_of(places);
    const bool learns = !binding_.gradients.empty() && (options_.scale || options_.center);
    if (learns) partial_.assign(std::size_t(pieces * 2 * channels_), 0.0);
    for_pieces(places, [&](Piece piece, std::int64_t number) {
      vectorised([&] {
        double* sums = learns ? partial_.data() + number * 2 * channels_ : nullptr;
        for (auto p = piece.begin; p < piece.end; ++p)
          backward_place(x + p * channels_, dy + p * channels_, mean_[std::size_t(p)],
                         inverse_[std::size_t(p)], sums,
                         binding_.input_gradient ? dx + p * channels_ : nullptr);
      });
    });
    if (!learns) return;
    // In the order of pieces.
    for (std::int64_t c = 0; c < channels_; ++c) {
      double scale = 0, offset = 0;
      for (std::int64_t i = 0; i < pieces; ++i)
        scale += partial_[std::size_t(i * 2 * channels_ + c)],
            offset += partial_[std::size_t((i * 2 + 1) * channels_ + c)];
      if (options_.scale) binding_.gradients[0][c] = float(scale);
      if (options_.center) binding_.gradients[options_.scale ? 1 : 0][c] = float(offset);
    }
    for (auto* gradient : binding_.gradients) binding_.gradient_ready(gradient, channels_);
  }

 private:
  struct Moments {
    float mean, inverse;
  };
  const float* gamma() const { return options_.scale ? binding_.parameters[0] : nullptr; }
  const float* beta() const {
    return options_.center ? binding_.parameters[options_.scale ? 1 : 0] : nullptr;
  }

  std::int64_t pieces_of(std::int64_t places) const {
    constexpr std::int64_t piece_elements = 1 << 14;
    return piece_count(places, std::max<std::int64_t>(1, piece_elements / channels_));
  }
  template <class F>
  void for_pieces(std::int64_t places, const F& work) {
    const auto pieces = pieces_of(places);
    binding_.pool->parallel_for(pieces, [&](std::int64_t i, int) { work(piece_of(places, pieces, i), i); });
  }

  Moments moments(const float* x) const {
    double sum = 0, squares = 0;
    for (std::int64_t c = 0; c < channels_; ++c) sum += double(x[c]);
    const double mean = sum / double(channels_);
    for (std::int64_t c = 0; c < channels_; ++c) {
      const double d = double(x[c]) - mean;
      squares += d * d;
    }
    return {float(mean), float(1 / std::sqrt(squares / double(channels_) + options_.epsilon))};
  }
  void normalise(const float* x, float mean, float inverse, float* y) const {
    const float *g = gamma(), *b = beta();
    for (std::int64_t c = 0; c < channels_; ++c) {
      float v = (x[c] - mean) * inverse;
      if (g) v *= g[c];
      if (b) v += b[c];
      y[c] = v;
    }
  }
  void backward_place(const float* x, const float* dy, float mean, float inverse, double* sums,
                      float* dx) const {
    const float* g = gamma();
    double of_g = 0, of_product = 0;
    for (std::int64_t c = 0; c < channels_; ++c) {
      const double xhat = double((x[c] - mean) * inverse), d = double(dy[c]), dg = g ? d * double(g[c]) : d;
      of_g += dg, of_product += dg * xhat;
      if (sums) sums[c] += d * xhat, sums[channels_ + c] += d;
    }
    if (!dx) return;
    const float a = float(of_g / double(channels_)), b = float(of_product / double(channels_));
    for (std::int64_t c = 0; c < channels_; ++c) {
      const float xhat = (x[c] - mean) * inverse, dg = g ? dy[c] * g[c] : dy[c];
      dx[c] = (dg - a - xhat * b) * inverse;
    }
  }

  LayerBinding binding_;
  LayerNormalizationOptions options_;
  std::int64_t channels_, places_;
  std::vector<float> mean_, inverse_;  // [rows, places], kept for backward
  std::vector<double> partial_;        // [pieces][gamma, beta][C]
};

class LayerNormalizationLayer final : public config::WithOptions<Layer, LayerNormalizationOptions> {
 public:
  LayerNormalizationLayer(LayerNormalizationOptions options, std::int64_t) : WithOptions(options) {}
  Shape infer(const Shape& input) const override {
    if (input.rank() == 0) fail_request("needs an input of rank 1 or more, not ()");
    return input;
  }
  std::vector<ParameterSpec> parameters(const Shape& input) const override {
    std::vector<ParameterSpec> out;
    if (options_.scale)
      out.push_back({.name = "gamma", .shape = {input.back()}, .initialiser = Initialiser::ones});
    if (options_.center) out.push_back({.name = "beta", .shape = {input.back()}});
    return out;
  }
  MaskUse mask_use() const override { return MaskUse::passes; }
  std::string keras_class() const override { return "LayerNormalization"; }
  nlohmann::ordered_json keras_config() const override {
    return {{"trainable", true},
            {"dtype", "float32"},
            {"axis", nlohmann::ordered_json::array({-1})},
            {"epsilon", options_.epsilon},
            {"center", options_.center},
            {"scale", options_.scale}};
  }
  std::string to_onnx(OnnxPlace& place) const override {
    const Shape shape{place.input.back()};
    const auto values = [&](std::size_t i) {
      return std::vector<float>(place.weights[i].begin(), place.weights[i].end());
    };
    std::vector<std::string> inputs{
        place.x,
        place.graph.constant("gamma", shape,
                             options_.scale ? values(0) : std::vector<float>(std::size_t(shape[0]), 1.0f))};
    if (options_.center)
      inputs.push_back(place.graph.constant("beta", shape, values(options_.scale ? 1 : 0)));
    return place.graph.add("LayerNormalization", std::move(inputs),
                           {{"axis", std::int64_t{-1}}, {"epsilon", float(options_.epsilon)}});
  }
};

const LayerRegistration<LayerNormalizationLayer, LayerNormalizationOptions> layer{
    {{"", {5, 7}},
     {"{epsilon: 0.1, center: false}", {11}},
     {"{scale: false}", {3, 2, 6}},
     {"{scale: false, center: false}", {4, 5}}}};
const CpuOps::Add<LayerNormalizationCpu, LayerNormalizationOptions> cpu;

}  // namespace
}  // namespace timbre::nn
