#include "nn/layers/average_pooling2d.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/simd.hpp"
#include "nn/layers/keras_options.hpp"
#include "nn/onnx.hpp"

namespace timbre::nn {

const config::Schema<AveragePooling2DOptions>& schema(config::of<AveragePooling2DOptions>) {
  static const auto s =
      config::Schema<AveragePooling2DOptions>(
          "the mean under each window of a picture (H, W, C), for each channel; (T, F) is read as (T, F, 1)")
          .field("pool_size", &AveragePooling2DOptions::pool_size, "height and width of the window")
          .field("strides", &AveragePooling2DOptions::strides,
                 "steps from window to window. null: pool_size, so that windows do not overlap")
          .field("padding", &AveragePooling2DOptions::padding, "what happens at the edges",
                 config::choice_of({{"valid", "only windows that lie inside the picture"},
                                    {"same", "windows may reach over the edge, which counts for nothing"}}));
  return s;
}

Window2D window_of(const AveragePooling2DOptions& o, const Shape& input) {
  return window_over(input, o.pool_size, o.strides.value_or(o.pool_size), o.padding, "pool");
}

namespace {

/// The part of window `p` of a side that lies inside: [begin, end).
Piece inside(const WindowAxis& a, std::int64_t p) {
  const auto begin = p * a.stride - a.before;
  return {std::max<std::int64_t>(begin, 0), std::min(begin + a.kernel, a.in)};
}

class AveragePooling2DCpu final : public LayerOp {
 public:
  AveragePooling2DCpu(const AveragePooling2DOptions& options, const LayerBinding& binding)
      : pool_(*binding.pool),
        input_gradient_(binding.input_gradient),
        window_(window_of(options, binding.input)),
        in_(binding.input.size()),
        out_(binding.output.size()) {}

  void forward(const StepContext& context, const float* x, float* y) override {
    pool_.parallel_for(context.rows, [&](std::int64_t row, int) {
      vectorised([&] { forward_row(x + row * in_, y + row * out_); });
    });
  }
  void backward(const StepContext& context, const float*, const float*, float* dy, float* dx) override {
    if (!input_gradient_) return;
    pool_.parallel_for(context.rows, [&](std::int64_t row, int) {
      vectorised([&] { backward_row(dy + row * out_, dx + row * in_); });
    });
  }

 private:
  /// visit(place of the output, 1 / n, first value of one line of the window, values of it) for every line of every window.
  template <class Visit>
  void for_each_line(const Visit& visit) const {
    const auto& [h, w, channels] = window_;
    for (std::int64_t p = 0; p < h.out; ++p)
      for (std::int64_t q = 0; q < w.out; ++q) {
        const auto rows = inside(h, p), columns = inside(w, q);
        const float share = 1.0f / float(rows.size() * columns.size());
        for (auto i = rows.begin; i < rows.end; ++i)
          visit((p * w.out + q) * channels, share, (i * w.in + columns.begin) * channels, columns.size());
      }
  }
  void forward_row(const float* x, float* y) const {
    const auto channels = window_.channels;
    std::fill_n(y, out_, 0.0f);
    for_each_line([&](std::int64_t to, float, std::int64_t from, std::int64_t n) {
      for (std::int64_t k = 0; k < n; ++k)
        for (std::int64_t c = 0; c < channels; ++c) y[to + c] += x[from + k * channels + c];
    });
    const auto& [h, w, _] = window_;
    for (std::int64_t p = 0; p < h.out; ++p)
      for (std::int64_t q = 0; q < w.out; ++q) {
        const float share = 1.0f / float(inside(h, p).size() * inside(w, q).size());
        for (std::int64_t c = 0; c < channels; ++c) y[(p * w.out + q) * channels + c] *= share;
      }
  }
  void backward_row(const float* dy, float* dx) const {
    const auto channels = window_.channels;
    std::fill_n(dx, in_, 0.0f);
    for_each_line([&](std::int64_t from, float share, std::int64_t to, std::int64_t n) {
      for (std::int64_t k = 0; k < n; ++k)
        for (std::int64_t c = 0; c < channels; ++c) dx[to + k * channels + c] += dy[from + c] * share;
    });
  }

  ThreadPool& pool_;
  bool input_gradient_;
  Window2D window_;
  std::int64_t in_, out_;
};

class AveragePooling2DLayer final : public config::WithOptions<Layer, AveragePooling2DOptions> {
 public:
  AveragePooling2DLayer(AveragePooling2DOptions options, std::int64_t) : WithOptions(std::move(options)) {
    if (!options_.strides) options_.strides = options_.pool_size;
  }

  Shape infer(const Shape& input) const override {
    const auto w = window_of(options_, input);
    return {w.h.out, w.w.out, w.channels};
  }
  std::string keras_class() const override { return "AveragePooling2D"; }
  nlohmann::ordered_json keras_config() const override {
    return {{"trainable", true},
            {"dtype", "float32"},
            {"pool_size", {options_.pool_size.h, options_.pool_size.w}},
            {"padding", options_.padding},
            {"strides", {options_.strides->h, options_.strides->w}},
            {"data_format", "channels_last"}};
  }
  std::string to_onnx(OnnxPlace& place) const override {
    const auto y = place.graph.add("AveragePool", {onnx_channels_first(place)},
                                   onnx_window(window_of(options_, place.input)));
    return onnx_channels_last(place, y);
  }
};

const LayerRegistration<AveragePooling2DLayer, AveragePooling2DOptions> layer{
    {{"{pool_size: [3, 3], strides: [2, 2], padding: same}", {8, 7, 3}},
     {"{pool_size: [2, 3], strides: [3, 2]}", {7, 8, 2}}}};
const CpuOps::Add<AveragePooling2DCpu, AveragePooling2DOptions> cpu;

}  // namespace
}  // namespace timbre::nn
