#include "nn/layers/global_pooling.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/simd.hpp"
#include "nn/layers/keras_options.hpp"
#include "nn/layers/sequence_as_picture.hpp"
#include "nn/layers/window.hpp"
#include "nn/onnx.hpp"

namespace timbre::nn {

const config::Schema<GlobalAveragePooling1DOptions>& schema(config::of<GlobalAveragePooling1DOptions>) {
  static const auto s =
      config::Schema<GlobalAveragePooling1DOptions>("the mean over all steps of a sequence, (T, F) to (F,)");
  return s;
}
const config::Schema<GlobalMaxPooling1DOptions>& schema(config::of<GlobalMaxPooling1DOptions>) {
  static const auto s = config::Schema<GlobalMaxPooling1DOptions>(
      "the largest value over all steps of a sequence, (T, F) to (F,)");
  return s;
}
const config::Schema<GlobalAveragePooling2DOptions>& schema(config::of<GlobalAveragePooling2DOptions>) {
  static const auto s = config::Schema<GlobalAveragePooling2DOptions>(
      "the mean over all places of a picture, (H, W, C) to (C,); (T, F) is read as (T, F, 1)");
  return s;
}
const config::Schema<GlobalMaxPooling2DOptions>& schema(config::of<GlobalMaxPooling2DOptions>) {
  static const auto s = config::Schema<GlobalMaxPooling2DOptions>(
      "the largest value over all places of a picture, (H, W, C) to (C,); (T, F) is read as (T, F, 1)");
  return s;
}

namespace {

template <class Options>
class GlobalPoolingCpu final : public LayerOp {
 public:
  GlobalPoolingCpu(const Options&, const LayerBinding& binding)
      : pool_(*binding.pool),
        mask_(binding.mask),
        input_gradient_(binding.input_gradient),
        channels_(binding.output.size()),
        places_(binding.input.size() / channels_) {
    if (Options::largest && input_gradient_) place_.resize(std::size_t(binding.capacity * channels_));
  }

  void forward(const StepContext& context, const float* x, float* y) override {
    const bool keep = context.training && !place_.empty();
    pool_.parallel_for(context.rows, [&](std::int64_t row, int) {
      vectorised([&] {
        const float* from = x + row * places_ * channels_;
        float* to = y + row * channels_;
        if constexpr (Options::largest)
          maximum(from, to, keep ? place_.data() + row * channels_ : nullptr);
        else
          mean(row, from, to);
      });
    });
  }

  void backward(const StepContext& context, const float*, const float*, float* dy, float* dx) override {
    if (!input_gradient_) return;
    pool_.parallel_for(context.rows, [&](std::int64_t row, int) {
      vectorised([&] {
        const float* from = dy + row * channels_;
        float* to = dx + row * places_ * channels_;
        if constexpr (Options::largest) {
          std::fill_n(to, places_ * channels_, 0.0f);
          for (std::int64_t c = 0; c < channels_; ++c)
            to[place_[std::size_t(row * channels_ + c)] * channels_ + c] = from[c];
        } else {
          const float share = share_of_one(row);
          for (std::int64_t p = 0; p < places_; ++p) {
            const float each = counts(row, p) ? share : 0.0f;
            for (std::int64_t c = 0; c < channels_; ++c) to[p * channels_ + c] = from[c] * each;
          }
        }
      });
    });
  }

 private:
  bool counts(std::int64_t row, std::int64_t p) const { return !mask_ || mask_[row * places_ + p]; }
  /// 0 where none counts.
  float share_of_one(std::int64_t row) const {
    const auto n = mask_ ? std::count(mask_ + row * places_, mask_ + (row + 1) * places_, 1) : places_;
    return n == 0 ? 0.0f : 1.0f / float(n);
  }
  void mean(std::int64_t row, const float* x, float* y) const {
    std::fill_n(y, channels_, 0.0f);
    for (std::int64_t p = 0; p < places_; ++p) {
      if (!counts(row, p)) continue;
      for (std::int64_t c = 0; c < channels_; ++c) y[c] += x[p * channels_ + c];
    }
    const float share = share_of_one(row);
    for (std::int64_t c = 0; c < channels_; ++c) y[c] *= share;
  }
  void maximum(const float* x, float* y, std::int64_t* place) const {
    std::copy_n(x, channels_, y);
    if (place) std::fill_n(place, channels_, std::int64_t{0});
    for (std::int64_t p = 1; p < places_; ++p)
      for (std::int64_t c = 0; c < channels_; ++c) {
        const float v = x[p * channels_ + c];
        if (v <= y[c] || y[c] != y[c]) continue;  // nothing replaces a NaN
        y[c] = v;
        if (place) place[c] = p;
      }
  }

  ThreadPool& pool_;
  const std::uint8_t* mask_;
  bool input_gradient_;
  std::int64_t channels_, places_;
  std::vector<std::int64_t> place_;  // [capacity, C] of the maxima
};

template <class Options>
class GlobalPoolingLayer final : public config::WithOptions<Layer, Options> {
 public:
  GlobalPoolingLayer(Options options, std::int64_t) : config::WithOptions<Layer, Options>(options) {}
  Shape infer(const Shape& input) const override {
    return Options::pictures ? Shape{picture(input).back()} : Shape{sequence(input).back()};
  }
  MaskUse mask_use() const override {
    return Options::largest || Options::pictures ? MaskUse::none : MaskUse::takes;
  }
  std::string keras_class() const override {
    return std::string(Options::largest ? "GlobalMaxPooling" : "GlobalAveragePooling") +
           (Options::pictures ? "2D" : "1D");
  }
  nlohmann::ordered_json keras_config() const override {
    return {{"trainable", true}, {"dtype", "float32"}, {"data_format", "channels_last"}, {"keepdims", false}};
  }
  std::string to_onnx(OnnxPlace& place) const override {
    using Integers = std::vector<std::int64_t>;
    auto x = place.x;
    if (Options::pictures && place.input.rank() == 2)
      x = place.graph.add("Unsqueeze", {x, place.graph.integers("channel_axis", {3})});
    if (!place.mask.empty()) {
      auto& g = place.graph;
      const auto sum = [&](const std::string& of) {
        return g.add("ReduceSum", {of, g.integers("steps", {1})}, {{"keepdims", std::int64_t{0}}});
      };
      const auto mask = g.add("Unsqueeze", {place.mask, g.integers("values", {2})});
      return g.add("Div", {sum(g.add("Mul", {x, mask})), g.add("Max", {sum(mask), g.number("one", 1)})});
    }
    return place.graph.add(
        Options::largest ? "ReduceMax" : "ReduceMean", {x},
        {{"axes", Options::pictures ? Integers{1, 2} : Integers{1}}, {"keepdims", std::int64_t{0}}});
  }
};

template <class Options>
struct Register {
  explicit Register(std::vector<LayerExample> examples) : layer(std::move(examples)) {}
  LayerRegistration<GlobalPoolingLayer<Options>, Options> layer;
  CpuOps::Add<GlobalPoolingCpu<Options>, Options> cpu;
};
const Register<GlobalAveragePooling1DOptions> average1d{{{"", {7, 5}}}};
const Register<GlobalMaxPooling1DOptions> max1d{{{"", {7, 5}}}};
const Register<GlobalAveragePooling2DOptions> average2d{{{"", {4, 3, 5}}, {"", {6, 4}}}};
const Register<GlobalMaxPooling2DOptions> max2d{{{"", {4, 3, 5}}, {"", {6, 4}}}};

}  // namespace
}  // namespace timbre::nn
