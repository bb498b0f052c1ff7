#include "nn/layers/max_pooling2d.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "nn/layers/keras_options.hpp"
#include "nn/onnx.hpp"

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

const config::Schema<MaxPooling2DOptions>& schema(config::of<MaxPooling2DOptions>) {
  static const auto s =
      config::Schema<MaxPooling2DOptions>(
          "the largest value under each window of a picture (H, W, C), for each channel; (T, F) is read as "
          "(T, F, 1)")
          .field("pool_size", &MaxPooling2DOptions::pool_size, "height and width of the window")
          .field("strides", &MaxPooling2DOptions::strides,
                 "steps from window to window. null: pool_size, so that windows do not overlap")
          .field("padding", &MaxPooling2DOptions::padding, "what happens at the edges",
                 config::choice_of({{"valid", "only windows that lie inside the picture"},
                                    {"same", "windows may reach over the edge"}}))
          .check([](const MaxPooling2DOptions& o) -> std::string {
            if (o.pool_size.h * o.pool_size.w <= 65536) return "";
            return "a pool of " + o.pool_size.str() + " has more than 65536 places";
          });
  return s;
}

Window2D window_of(const MaxPooling2DOptions& o, const Shape& input) {
  return window_over(input, o.pool_size, o.strides.value_or(o.pool_size), o.padding, "pool");
}

namespace {

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
  MaxPooling2DCpu(const MaxPooling2DOptions& options, const LayerBinding& binding)
      : pool_(*binding.pool),
        input_gradient_(binding.input_gradient),
        window_(window_of(options, binding.input)),
        in_(binding.input.size()),
        out_(binding.output.size()) {
    if (!input_gradient_) return;
    argmax_.resize(static_cast<std::size_t>(binding.capacity * out_));
    rows_ = ranges(window_.h), columns_ = ranges(window_.w);
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

class MaxPooling2DLayer final : public config::WithOptions<Layer, MaxPooling2DOptions> {
 public:
  MaxPooling2DLayer(MaxPooling2DOptions options, std::int64_t) : WithOptions(std::move(options)) {
    if (!options_.strides) options_.strides = options_.pool_size;
  }

  Shape infer(const Shape& input) const override {
    const auto w = window_of(options_, input);
    return {w.h.out, w.w.out, w.channels};
  }
  std::string keras_class() const override { return "MaxPooling2D"; }
  nlohmann::ordered_json keras_config() const override {
    return {{"trainable", true},
            {"dtype", "float32"},
            {"pool_size", {options_.pool_size.h, options_.pool_size.w}},
            {"padding", options_.padding},
            {"strides", {options_.strides->h, options_.strides->w}},
            {"data_format", "channels_last"}};
  }
  std::string to_onnx(OnnxPlace& place) const override {
    const auto y = place.graph.add("MaxPool", {onnx_channels_first(place)},
                                   onnx_window(window_of(options_, place.input)));
    return onnx_channels_last(place, y);
  }
};

const LayerRegistration<MaxPooling2DLayer, MaxPooling2DOptions> layer{
    {{"{pool_size: [3, 3], strides: [2, 2], padding: same}", {8, 7, 3}}, {"{pool_size: [2, 2]}", {7, 5, 2}}}};
const CpuOps::Add<MaxPooling2DCpu, MaxPooling2DOptions> cpu;

}  // namespace
}  // namespace timbre::nn
