// Sums are doubles over pieces of fixed size, added in order. A sum of squares in double loses nothing that
// float32 data hold, so one pass gives both moments.
#include "nn/layers/batch_normalization.hpp"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "core/simd.hpp"
#include "nn/layers/batch_normalization_rules.hpp"
#include "nn/layers/keras_options.hpp"
#include "nn/onnx.hpp"

namespace timbre::nn {

const config::Schema<BatchNormalizationOptions>& schema(config::of<BatchNormalizationOptions>) {
  static const auto s =
      config::Schema<BatchNormalizationOptions>(
          "brings each channel to mean 0 and deviation 1 over the batch; when predicting, by moving "
          "statistics; any shape")
          .field("momentum", &BatchNormalizationOptions::momentum,
                 "share of the past that each step keeps in the moving mean and variance",
                 config::between(0.0, 1.0))
          .field("epsilon", &BatchNormalizationOptions::epsilon,
                 "added to the variance, so that nothing is divided by 0", config::above(0.0))
          .field("center", &BatchNormalizationOptions::center, "whether a learned offset, beta, is added")
          .field("scale", &BatchNormalizationOptions::scale, "whether a learned factor, gamma, multiplies");
  return s;
}

namespace {

/// s[c] += sum of x, q[c] += sum of x^2, over n rows of `channels` values.
void add_moments(std::int64_t n, std::int64_t channels, const float* x, double* __restrict s,
                 double* __restrict q) {
  vectorised([&] {
    for (std::int64_t i = 0; i < n; ++i, x += channels)
      for (std::int64_t c = 0; c < channels; ++c) {
        const double v = x[c];
        s[c] += v;
        q[c] += v * v;
      }
  });
}

/// s[c] += sum of dy, q[c] += sum of dy (x - mean).
void add_products(std::int64_t n, std::int64_t channels, const float* x, const float* dy,
                  const float* __restrict mean, double* __restrict s, double* __restrict q) {
  vectorised([&] {
    for (std::int64_t i = 0; i < n; ++i, x += channels, dy += channels)
      for (std::int64_t c = 0; c < channels; ++c) {
        const double g = dy[c];
        s[c] += g;
        q[c] += g * static_cast<double>(x[c] - mean[c]);
      }
  });
}

/// y = (x - mean) a + b.
void normalise(std::int64_t n, std::int64_t channels, const float* x, const float* __restrict mean,
               const float* __restrict a, const float* __restrict b, float* __restrict y) {
  vectorised([&] {
    for (std::int64_t i = 0; i < n; ++i, x += channels, y += channels)
      for (std::int64_t c = 0; c < channels; ++c) y[c] = Normalisation::value(x[c], mean[c], a[c], b[c]);
  });
}

/// dx = (dy - mean_dy) a + (x - mean) b + d.
void denormalise(std::int64_t n, std::int64_t channels, const float* x, const float* dy,
                 const float* __restrict mean, const float* __restrict mean_dy, const float* __restrict a,
                 const float* __restrict b, const float* __restrict d, float* __restrict dx) {
  vectorised([&] {
    for (std::int64_t i = 0; i < n; ++i, x += channels, dy += channels, dx += channels)
      for (std::int64_t c = 0; c < channels; ++c)
        dx[c] = NormalisationGradient::value(x[c], dy[c], mean[c], mean_dy[c], a[c], b[c], d[c]);
  });
}

class BatchNormalizationCpu final : public LayerOp {
 public:
  BatchNormalizationCpu(const BatchNormalizationOptions& options, const LayerBinding& binding)
      : binding_(binding),
        options_(options),
        channels_(binding.output.back()),
        inner_(binding.output.size() / channels_) {
    // The declared parameters, in order; gamma and beta only where asked for.
    std::size_t i = 0;
    if (options_.scale) gamma_ = i++;
    if (options_.center) beta_ = i++;
    moving_mean_ = binding_.parameters[i], moving_variance_ = binding_.parameters[i + 1];
    const auto n = static_cast<std::size_t>(channels_);
    for (auto* v : {&mean_, &mean_dy_, &factor_, &slope_, &offset_}) v->resize(n);
    for (auto* v : {&exact_mean_, &inverse_}) v->resize(n);
    largest_ = std::max<std::int64_t>(1, 32768 / channels_);
    sums_.resize(static_cast<std::size_t>(piece_count(binding_.capacity * inner_, largest_)) * 2 * n);
  }

  void forward(const StepContext& context, const float* x, float* y) override {
    const auto n = context.rows * inner_;
    if (context.training && !binding_.frozen) {
      over_pieces(n, [&](Piece p, double* s, double* q) {
        add_moments(p.size(), channels_, x + p.begin * channels_, s, q);
      });
      add_pieces(n);
      for (std::int64_t c = 0; c < channels_; ++c) {
        const auto m = Moments::of(sums_[c], sums_[channels_ + c], double(n));
        use_statistics(c, m);
        moving_mean_[c] = blend_moving(moving_mean_[c], m.mean, options_.momentum);
        moving_variance_[c] = blend_moving(moving_variance_[c], m.variance, options_.momentum);
      }
    } else {
      for (std::int64_t c = 0; c < channels_; ++c) use_statistics(c, {moving_mean_[c], moving_variance_[c]});
    }
    over_pieces(n, [&](Piece p, double*, double*) {
      normalise(p.size(), channels_, x + p.begin * channels_, mean_.data(), factor_.data(), offset_.data(),
                y + p.begin * channels_);
    });
  }

  void backward(const StepContext& context, const float* x, const float*, float* dy, float* dx) override {
    const auto n = context.rows * inner_;
    if (binding_.frozen) {  // a factor and an offset: dx = dy factor
      for (auto* v : {&mean_dy_, &slope_, &offset_}) std::fill(v->begin(), v->end(), 0.0f);
      return input_gradient(n, x, dy, dx);
    }
    over_pieces(n, [&](Piece p, double* s, double* q) {
      add_products(p.size(), channels_, x + p.begin * channels_, dy + p.begin * channels_, mean_.data(), s,
                   q);
    });
    add_pieces(n);
    for (std::int64_t c = 0; c < channels_; ++c) {
      const auto g = NormalisationGradient::of(sums_[c], sums_[channels_ + c], double(n), exact_mean_[c],
                                               mean_[c], inverse_[c], gamma(c));
      if (!binding_.gradients.empty()) {
        if (gamma_) binding_.gradients[*gamma_][c] = g.gamma;
        if (beta_) binding_.gradients[*beta_][c] = g.beta;
      }
      factor_[c] = g.factor, slope_[c] = g.slope, mean_dy_[c] = g.mean_dy, offset_[c] = g.offset;
    }
    input_gradient(n, x, dy, dx);
  }

 private:
  void input_gradient(std::int64_t n, const float* x, const float* dy, float* dx) {
    if (!binding_.input_gradient) return;
    over_pieces(n, [&](Piece p, double*, double*) {
      denormalise(p.size(), channels_, x + p.begin * channels_, dy + p.begin * channels_, mean_.data(),
                  mean_dy_.data(), factor_.data(), slope_.data(), offset_.data(), dx + p.begin * channels_);
    });
  }

  double gamma(std::int64_t c) const { return gamma_ ? binding_.parameters[*gamma_][c] : 1.0f; }
  double beta(std::int64_t c) const { return beta_ ? binding_.parameters[*beta_][c] : 0.0f; }

  void use_statistics(std::int64_t c, Moments m) {
    const auto n = Normalisation::of(m, options_.epsilon, gamma(c), beta(c));
    exact_mean_[c] = n.exact_mean, inverse_[c] = n.inverse, mean_[c] = n.mean, factor_[c] = n.factor,
    offset_[c] = n.offset;
  }

  /// Runs body(piece, s, q) with s and q [C] the sums of that piece, set to zero.
  template <class Body>
  void over_pieces(std::int64_t n, Body&& body) {
    const auto pieces = piece_count(n, largest_);
    binding_.pool->parallel_for(pieces, [&](std::int64_t i, int) {
      double* s = sums_.data() + i * 2 * channels_;
      std::fill_n(s, 2 * channels_, 0.0);
      body(piece_of(n, pieces, i), s, s + channels_);
    });
  }
  /// Adds the sums of all pieces to those of the first.
  void add_pieces(std::int64_t n) {
    const auto pieces = piece_count(n, largest_);
    for (std::int64_t i = 1; i < pieces; ++i)
      for (std::int64_t c = 0; c < 2 * channels_; ++c) sums_[c] += sums_[i * 2 * channels_ + c];
  }

  LayerBinding binding_;
  BatchNormalizationOptions options_;
  std::int64_t channels_, inner_, largest_ = 1;
  std::optional<std::size_t> gamma_, beta_;  // their places among the parameters
  float *moving_mean_, *moving_variance_;
  std::vector<float> mean_, mean_dy_, factor_, slope_, offset_;  // [C]
  std::vector<double> exact_mean_, inverse_;                     // [C]
  std::vector<double> sums_;                                     // [pieces, 2, C]
};

class BatchNormalizationLayer final : public config::WithOptions<Layer, BatchNormalizationOptions> {
 public:
  BatchNormalizationLayer(BatchNormalizationOptions options, std::int64_t) : WithOptions(options) {}

  Shape infer(const Shape& input) const override {
    if (input.rank() == 0) fail_request("needs an input of rank 1 or more, not {}", input.str());
    return input;
  }
  std::vector<ParameterSpec> parameters(const Shape& input) const override {
    const Shape shape{input.back()};
    std::vector<ParameterSpec> out;
    if (options_.scale) out.push_back({.name = "gamma", .shape = shape, .initialiser = Initialiser::ones});
    if (options_.center) out.push_back({.name = "beta", .shape = shape});
    out.push_back({.name = "moving_mean", .shape = shape, .trainable = false});
    out.push_back(
        {.name = "moving_variance", .shape = shape, .initialiser = Initialiser::ones, .trainable = false});
    return out;
  }
  std::string keras_class() const override { return "BatchNormalization"; }
  nlohmann::ordered_json keras_config() const override {
    return {{"trainable", true},
            {"dtype", "float32"},
            {"axis", -1},
            {"momentum", options_.momentum},
            {"epsilon", options_.epsilon},
            {"center", options_.center},
            {"scale", options_.scale}};
  }
  /// Its formula with the moving statistics, over the last axis of any rank (ONNX's operator wants the second axis).
  std::string to_onnx(OnnxPlace& place) const override {
    auto& g = place.graph;
    const auto channels = std::size_t(place.input.back());
    const float* gamma = options_.scale ? place.weights[0].data() : nullptr;
    const float* beta = options_.center ? place.weights[options_.scale ? 1 : 0].data() : nullptr;
    const auto moving = place.weights.size() - 2;
    std::vector<float> mean, factor, offset;
    for (std::size_t c = 0; c < channels; ++c) {
      const Moments m{place.weights[moving][c], place.weights[moving + 1][c]};
      const auto n = Normalisation::of(m, options_.epsilon, gamma ? gamma[c] : 1.0, beta ? beta[c] : 0.0);
      mean.push_back(n.mean), factor.push_back(n.factor), offset.push_back(n.offset);
    }
    const Shape shape{place.input.back()};
    auto y = g.add("Sub", {place.x, g.constant("moving_mean", shape, std::move(mean))});
    y = g.add("Mul", {y, g.constant("factor", shape, std::move(factor))});
    return g.add("Add", {y, g.constant("offset", shape, std::move(offset))});
  }
};

const LayerRegistration<BatchNormalizationLayer, BatchNormalizationOptions> layer{
    {{"", {5, 4, 3}}, {"{momentum: 0.8, epsilon: 0.01}", {7}}, {"{center: false, scale: false}", {6, 2}}}};
const CpuOps::Add<BatchNormalizationCpu, BatchNormalizationOptions> cpu;

}  // namespace
}  // namespace timbre::nn
