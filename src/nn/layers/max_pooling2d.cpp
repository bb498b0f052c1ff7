// max_pooling2d: the largest value under a window, per channel, as Keras's MaxPooling2D, channels last.
//
//   x (H, W, C) or (T, F), read as (T, F, 1)     y (H', W', C), H' and W' as in window.hpp
//   y[p, c] = max over the window of x[., c]      dx[q, c] = sum of dy[p, c] over windows p whose maximum is q
//
// Padding counts as minus infinity. Of equal values the first of the window (row by row) is the maximum, as in
// TensorFlow; a NaN is larger than everything, so that it is seen. Training keeps the maximum's place, 16 bits
// per output.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "nn/layers/keras_options.hpp"
#include "nn/layers/window.hpp"

namespace timbre::nn {
namespace {
/// The windows that hold one line (or column) of the input.
struct PoolRange {
  std::int64_t first, count;
};

struct PoolKernels {
  void (*forward_row)(const Window2D& window, const float* x, float* y, std::uint16_t* argmax);
  void (*backward_row)(const Window2D& window, const PoolRange* rows, const PoolRange* columns,
                       const float* dy, const std::uint16_t* argmax, float* dx);
};
}  // namespace
}  // namespace timbre::nn

#define TIMBRE_KERNELS "nn/layers/max_pooling2d_kernels.inc"
#include "core/each_target.inc"

namespace timbre::nn {
namespace {

struct MaxPooling2DOptions {
  Extent2D pool_size{2, 2};
  std::optional<Extent2D> strides;
  std::string padding = "valid";
};
const config::Schema<MaxPooling2DOptions>& schema(config::of<MaxPooling2DOptions>) {
  static const auto s =
      config::Schema<MaxPooling2DOptions>("the largest value under each window of a picture")
          .field("pool_size", &MaxPooling2DOptions::pool_size, "height and width of the window, n or [h, w]")
          .field("strides", &MaxPooling2DOptions::strides,
                 "steps between windows, n or [h, w]; null: pool_size")
          .field("padding", &MaxPooling2DOptions::padding,
                 "valid: whole windows only; same: windows may reach over the edge",
                 config::one_of({"valid", "same"}))
          .check([](const MaxPooling2DOptions& o) -> std::string {
            if (o.pool_size.h * o.pool_size.w <= 65536) return "";
            return "a pool of " + o.pool_size.str() + " has more than 65536 places";
          });
  return s;
}

const PoolKernels& pool_kernels() { return TIMBRE_BEST_OF(kernels); }

std::vector<PoolRange> ranges(const WindowAxis& a) {
  std::vector<PoolRange> out;
  for (std::int64_t i = 0; i < a.in; ++i) {
    const auto at = i + a.before;
    const auto first = at < a.kernel ? 0 : (at - a.kernel) / a.stride + 1;
    // A place behind the last window, or between two, is in none: the first then only keeps addresses inside.
    const auto count = std::max<std::int64_t>(std::min(at / a.stride, a.out - 1) - first + 1, 0);
    out.push_back({count ? first : 0, count});
  }
  return out;
}

class MaxPooling2DCpu final : public LayerOp {
 public:
  MaxPooling2DCpu(const LayerBinding& binding, const Window2D& window)
      : pool_(*binding.pool),
        input_gradient_(binding.input_gradient),
        window_(window),
        in_(binding.input.size()),
        out_(binding.output.size()) {
    if (!input_gradient_) return;
    argmax_.resize(static_cast<std::size_t>(binding.capacity * out_));
    rows_ = ranges(window.h), columns_ = ranges(window.w);
  }

  void forward(const StepContext& context, const float* x, float* y) override {
    const bool keep = context.training && input_gradient_;
    pool_.parallel_for(context.rows, [&](std::int64_t row, int) {
      kernels_.forward_row(window_, x + row * in_, y + row * out_,
                           keep ? argmax_.data() + row * out_ : nullptr);
    });
  }

  void backward(const StepContext& context, const float*, const float*, float* dy, float* dx) override {
    if (!input_gradient_) return;
    pool_.parallel_for(context.rows, [&](std::int64_t row, int) {
      kernels_.backward_row(window_, rows_.data(), columns_.data(), dy + row * out_,
                            argmax_.data() + row * out_, dx + row * in_);
    });
  }

 private:
  const PoolKernels& kernels_ = pool_kernels();
  ThreadPool& pool_;
  bool input_gradient_;
  Window2D window_;
  std::int64_t in_, out_;
  std::vector<PoolRange> rows_, columns_;  // of the input
  std::vector<std::uint16_t> argmax_;      // [capacity, H', W', C]
};

class MaxPooling2DLayer final : public Layer {
 public:
  MaxPooling2DLayer(MaxPooling2DOptions options, std::int64_t) : options_(std::move(options)) {
    if (!options_.strides) options_.strides = options_.pool_size;
  }

  std::string_view type() const override { return "max_pooling2d"; }
  Shape infer(const Shape& input) const override {
    const auto w = window(input);
    return {w.h.out, w.w.out, w.channels};
  }
  config::Node dump() const override { return dump_layer(type(), options_); }
  std::string keras_class() const override { return "MaxPooling2D"; }
  nlohmann::ordered_json keras_config() const override {
    return {{"trainable", true},
            {"dtype", "float32"},
            {"pool_size", {options_.pool_size.h, options_.pool_size.w}},
            {"padding", options_.padding},
            {"strides", {options_.strides->h, options_.strides->w}},
            {"data_format", "channels_last"}};
  }
  std::unique_ptr<LayerOp> make_cpu(const LayerBinding& binding) const override {
    return std::make_unique<MaxPooling2DCpu>(binding, window(binding.input));
  }

 private:
  Window2D window(const Shape& input) const {
    return window_over(input, options_.pool_size, *options_.strides, options_.padding, "pool");
  }
  MaxPooling2DOptions options_;
};

const Registration<LayerType> registration{
    "max_pooling2d", layer_type<MaxPooling2DLayer, MaxPooling2DOptions>(
                         {{"{pool_size: [3, 3], strides: [2, 2], padding: same}", {8, 7, 3}},
                          {"{pool_size: [2, 2]}", {7, 5, 2}}})};

}  // namespace
}  // namespace timbre::nn
