// The batch is cut into pieces of whole rows. Within a row the products are formed in tiles of registers that
// read windows where they lie (conv2d_kernels.hpp): there is no column matrix.
#include "nn/layers/conv2d.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/aligned.hpp"
#include "nn/activation.hpp"
#include "nn/layers/conv2d_kernels.hpp"
#include "nn/layers/keras_options.hpp"
#include "nn/onnx.hpp"

namespace timbre::nn {

const config::Schema<Conv2DOptions>& schema(config::of<Conv2DOptions>) {
  static const auto s =
      config::Schema<Conv2DOptions>(
          "filters that slide over a picture: activation(x * W + b), (H, W, C) to (H', W', filters); (T, F) "
          "is read as (T, F, 1)")
          .required("filters", &Conv2DOptions::filters, "number of filters, and of channels of the output",
                    config::between(std::int64_t{1}, std::int64_t{65536}))
          .required("kernel_size", &Conv2DOptions::kernel_size, "height and width of the window")
          .field("strides", &Conv2DOptions::strides, "steps from window to window")
          .field(
              "padding", &Conv2DOptions::padding, "what happens at the edges",
              config::choice_of({{"valid", "only windows that lie inside the picture"},
                                 {"same", "zeros around the picture, so that strides of 1 keep its size"}}))
          .field("activation", &Conv2DOptions::activation, "function applied to the output",
                 config::one_of(activation_names()))
          .field("use_bias", &Conv2DOptions::use_bias, "whether a bias is added")
          .field("kernel_regulariser", &Conv2DOptions::kernel_regulariser,
                 "penalty on the kernel; replaces regularisation.l1 and l2 for it");
  return s;
}

Window2D window_of(const Conv2DOptions& o, const Shape& input) {
  return window_over(input, o.kernel_size, o.strides, o.padding, "kernel");
}

namespace {

constexpr std::int64_t chunk = 96;  // places handled together in backward: their dz stays in the first cache

class Conv2DCpu final : public LayerOp {
 public:
  Conv2DCpu(const Conv2DOptions& options, const LayerBinding& binding)
      : Conv2DCpu(options, binding, window_of(options, binding.input)) {}
  Conv2DCpu(const Conv2DOptions& options, const LayerBinding& binding, const Window2D& window)
      : binding_(binding),
        activation_(activation_of(options.activation)),
        use_bias_(options.use_bias),
        places_(window.outputs()),
        filters_(binding.output.back()),
        h_(window.h),
        w_(window.w),
        channels_(window.channels) {
    const std::int64_t panel = kernels_.panel;
    row_ = w_.kernel * channels_;
    line_ = w_.padded() * channels_;
    k_ = h_.kernel * row_;
    panels_ = piece_count(filters_, panel);
    width_ = panels_ * panel;
    padded_ = h_.before || h_.after || w_.before || w_.after;
    for (std::int64_t i = 0; i < h_.out; ++i)
      for (std::int64_t j = 0; j < w_.out; ++j)
        places_at_.push_back(static_cast<std::int32_t>(i * h_.stride * line_ + j * w_.stride * channels_));
    for (std::int64_t i = 0; i < h_.kernel; ++i)
      for (std::int64_t t = 0; t < row_; ++t) taps_at_.push_back(static_cast<std::int32_t>(i * line_ + t));

    // Gathering writes dx once, in long sums, but works on lines of zeros above and below, and on whole panels
    // of channels.
    gather_ = binding_.input_gradient && h_.stride == 1 && w_.stride == 1 && 4 * h_.in <= 5 * h_.out &&
              4 * piece_count(channels_, panel) * panel <= 5 * channels_;
    above_ = (h_.kernel - 1) * w_.out;

    const bool trained = !binding_.gradients.empty();
    packed_.assign(static_cast<std::size_t>(k_ * width_), 0.0f);
    bias_.assign(static_cast<std::size_t>(width_), 0.0f);
    scratch_.resize(static_cast<std::size_t>(binding_.pool->threads()));
    for (auto& s : scratch_) {
      s.edge.assign(static_cast<std::size_t>(ConvKernels::max_rows * panel), 0.0f);
      if (padded_) s.x.assign(static_cast<std::size_t>(h_.padded() * line_), 0.0f);
      if (!trained) continue;
      s.dz.assign(static_cast<std::size_t>(gather_ ? places_ + 2 * above_ : chunk) * width_, 0.0f);
      if (padded_ && !gather_) s.dx.assign(s.x.size(), 0.0f);
    }
    if (!trained) return;
    // Partial gradients: enough pieces for many cores, but not more memory than the gradients are worth.
    block_ = k_ * width_ + width_;
    most_pieces_ = std::clamp<std::int64_t>((std::int64_t{8} << 20) / block_, 4, 32);
    partial_.resize(static_cast<std::size_t>(std::min(most_pieces_, binding_.capacity) * block_));
    if (!binding_.input_gradient) return;
    slices_ = piece_count(gather_ ? channels_ : row_, panel);
    for (std::int64_t t = 0; t < (gather_ ? w_.kernel * h_.kernel : 1); ++t)
      for (std::int64_t f = 0; f < filters_; ++f)
        dz_at_.push_back(static_cast<std::int32_t>(f - (t % h_.kernel * w_.out + t / h_.kernel) * width_));
    transposed_.assign(
        static_cast<std::size_t>(slices_ * h_.kernel * (gather_ ? w_.kernel : 1) * filters_ * panel), 0.0f);
  }

  void forward(const StepContext& context, const float* x, float* y) override {
    pack_weights();
    const auto pieces = std::min<std::int64_t>(context.rows, 64);
    binding_.pool->parallel_for(pieces, [&](std::int64_t piece, int thread) {
      const auto rows = piece_of(context.rows, pieces, piece);
      for (auto n = rows.begin; n < rows.end; ++n)
        forward_row(scratch_[thread], x + n * input_size(), y + n * places_ * filters_);
    });
  }

  void backward(const StepContext& context, const float* x, const float* y, float* dy, float* dx) override {
    if (binding_.input_gradient) pack_transposed();
    const auto pieces = std::min(context.rows, most_pieces_);
    binding_.pool->parallel_for(pieces, [&](std::int64_t piece, int thread) {
      float* partial = partial_.data() + piece * block_;
      std::fill_n(partial + k_ * width_, width_, 0.0f);
      const auto rows = piece_of(context.rows, pieces, piece);
      for (auto n = rows.begin; n < rows.end; ++n)
        backward_row(scratch_[thread], x + n * input_size(), y + n * places_ * filters_,
                     dy + n * places_ * filters_, binding_.input_gradient ? dx + n * input_size() : nullptr,
                     partial, n > rows.begin);
    });
    for (std::int64_t piece = 1; piece < pieces; ++piece)
      kernels_.add(block_, partial_.data() + piece * block_, partial_.data());
    for (std::int64_t k = 0; k < k_; ++k)
      std::copy_n(partial_.data() + k * width_, filters_, binding_.gradients[0] + k * filters_);
    if (use_bias_) std::copy_n(partial_.data() + k_ * width_, filters_, binding_.gradients[1]);
  }

 private:
  struct Scratch {
    AlignedFloats x, dx;  // [padded H, padded W, C]
    AlignedFloats dz;     // [chunk, width]; for gathering all places, between kh - 1 lines of zeros
    AlignedFloats edge;   // [max_rows, panel]: tiles that are wider than what there is
  };

  std::int64_t input_size() const { return h_.in * w_.in * channels_; }

  /// The kernel as panels [panels, K, panel] with zeros behind the last filter.
  void pack_weights() {
    const std::int64_t panel = kernels_.panel;
    for (std::int64_t q = 0; q < panels_; ++q) {
      const auto n = std::min(panel, filters_ - q * panel);
      for (std::int64_t k = 0; k < k_; ++k)
        std::copy_n(binding_.parameters[0] + k * filters_ + q * panel, n,
                    packed_.data() + (q * k_ + k) * panel);
    }
    if (use_bias_) std::copy_n(binding_.parameters[1], filters_, bias_.data());
  }

  /// The kernel's transpose in panels with zeros behind the last entry: for gathering [slices of C, kw, kh,
  /// filters, panel], otherwise by lines [kh, slices of kw C, filters, panel].
  void pack_transposed() {
    const std::int64_t panel = kernels_.panel;
    for (std::int64_t i = 0; i < h_.kernel; ++i)
      for (std::int64_t t = 0; t < row_; ++t) {
        const auto j = t / channels_, c = t % channels_;
        const float* from = binding_.parameters[0] + (i * row_ + t) * filters_;
        float* to = transposed_.data() +
                    (gather_ ? ((c / panel * w_.kernel + j) * h_.kernel + i) * filters_ * panel + c % panel
                             : (i * slices_ + t / panel) * filters_ * panel + t % panel);
        for (std::int64_t f = 0; f < filters_; ++f) to[f * panel] = from[f];
      }
  }

  /// The row itself, or its copy with zeros around it (which stay from the start).
  const float* padded_input(Scratch& s, const float* x) const {
    if (!padded_) return x;
    for (std::int64_t i = 0; i < h_.in; ++i)
      std::copy_n(x + i * w_.in * channels_, w_.in * channels_,
                  s.x.data() + (i + h_.before) * line_ + w_.before * channels_);
    return s.x.data();
  }

  void forward_row(Scratch& s, const float* x_row, float* y) const {
    const float* x = padded_input(s, x_row);
    const bool relu = activation_ == Activation::relu;
    const std::int64_t panel = kernels_.panel;
    const float* from[ConvKernels::max_rows];
    float* to[ConvKernels::max_rows];
    for (std::int64_t q = 0; q < panels_; ++q) {
      const auto valid = std::min(panel, filters_ - q * panel);
      const bool whole = valid == panel;
      for (std::int64_t p = 0; p < places_; p += kernels_.multiply_rows) {
        const auto n = std::min<std::int64_t>(kernels_.multiply_rows, places_ - p);
        for (std::int64_t r = 0; r < n; ++r) {
          from[r] = x + places_at_[p + r];
          to[r] = whole ? y + (p + r) * filters_ + q * panel : &s.edge[r * panel];
        }
        kernels_.multiply(static_cast<int>(n), k_, taps_at_.data(), from, packed_.data() + q * k_ * panel, to,
                          relu ? ConvKernels::Finish::bias_relu : ConvKernels::Finish::bias,
                          bias_.data() + q * panel);
        for (std::int64_t r = 0; !whole && r < n; ++r)
          std::copy_n(to[r], valid, y + (p + r) * filters_ + q * panel);
      }
    }
    if (activation_ == Activation::softmax)
      softmax_rows(y, places_, filters_);
    else if (!relu && activation_ != Activation::linear)
      with_activation(activation_, [&](auto f) {
        for (std::int64_t i = 0; i < places_ * filters_; ++i) y[i] = f.value(y[i]);
      });
  }

  /// dz [n, width] of n places, and the sum over them, which is db.
  void derive(std::int64_t n, const float* y, const float* dy, float* dz, float* db) const {
    if (activation_ == Activation::relu) return kernels_.relu_slope(n, filters_, y, dy, dz, width_, db);
    for (std::int64_t r = 0; r < n; ++r, y += filters_, dy += filters_, dz += width_) {
      if (activation_ == Activation::softmax) {
        float dot = 0;
        for (std::int64_t f = 0; f < filters_; ++f) dot += y[f] * dy[f];
        for (std::int64_t f = 0; f < filters_; ++f) dz[f] = y[f] * (dy[f] - dot);
      } else {
        with_activation(activation_, [&](auto a) {
          for (std::int64_t f = 0; f < filters_; ++f) dz[f] = a.slope(y[f]) * dy[f];
        });
      }
      for (std::int64_t f = 0; f < filters_; ++f) db[f] += dz[f];
    }
  }

  void backward_row(Scratch& s, const float* x_row, const float* y, const float* dy, float* dx_row,
                    float* partial, bool add) const {
    const float* x = padded_input(s, x_row);
    float* dx = padded_ ? s.dx.data() : dx_row;
    const bool spreads = dx_row && !gather_;
    if (spreads) std::fill_n(dx, h_.padded() * line_, 0.0f);
    for (std::int64_t p = 0; p < places_; p += chunk, add = true) {
      const auto n = std::min(chunk, places_ - p);
      float* dz = s.dz.data() + (gather_ ? above_ + p : 0) * width_;
      derive(n, y + p * filters_, dy + p * filters_, dz, partial + k_ * width_);
      for (std::int64_t q = 0; q < panels_; ++q)
        for (std::int64_t i = 0; i < h_.kernel; ++i)
          for (std::int64_t t = 0; t < row_; t += kernels_.correlate_rows)
            kernels_.correlate(static_cast<int>(std::min<std::int64_t>(kernels_.correlate_rows, row_ - t)), n,
                               &places_at_[p], x + i * line_ + t, dz + q * kernels_.panel, width_,
                               partial + (i * row_ + t) * width_ + q * kernels_.panel, width_, add);
      if (spreads) spread(s, n, &places_at_[p], dx);
    }
    if (spreads && padded_)
      for (std::int64_t i = 0; i < h_.in; ++i)
        std::copy_n(dx + (i + h_.before) * line_ + w_.before * channels_, w_.in * channels_,
                    dx_row + i * w_.in * channels_);
    if (dx_row && gather_) gather(s, dx_row);
  }

  /// dx[u, v] = sum over i, j of dz[u - i, v - j] W[i, j]^T for stride 1: u and v count from the padding, the
  /// lines of zeros around dz take the i that reach outside, and only the j inside are summed.
  void gather(Scratch& s, float* dx) const {
    const std::int64_t panel = kernels_.panel, column = h_.kernel * filters_;
    const float* from[ConvKernels::max_rows];
    float* to[ConvKernels::max_rows];
    for (std::int64_t q = 0; q < slices_; ++q) {
      const auto valid = std::min(panel, channels_ - q * panel);
      const bool whole = valid == panel;
      for (std::int64_t v = w_.before; v < w_.before + w_.in; ++v) {
        const auto j0 = std::max<std::int64_t>(v - w_.out + 1, 0), j1 = std::min(v + 1, w_.kernel);
        const float* weights = transposed_.data() + (q * w_.kernel + j0) * column * panel;
        for (std::int64_t u = 0; u < h_.in; u += kernels_.multiply_rows) {
          const auto rows = std::min<std::int64_t>(kernels_.multiply_rows, h_.in - u);
          for (std::int64_t r = 0; r < rows; ++r) {
            from[r] = s.dz.data() + (above_ + (u + r + h_.before) * w_.out + v - j0) * width_;
            to[r] =
                whole ? dx + ((u + r) * w_.in + v - w_.before) * channels_ + q * panel : &s.edge[r * panel];
          }
          kernels_.multiply(static_cast<int>(rows), (j1 - j0) * column, dz_at_.data(), from, weights, to,
                            ConvKernels::Finish::set, nullptr);
          for (std::int64_t r = 0; !whole && r < rows; ++r)
            std::copy_n(to[r], valid, dx + ((u + r) * w_.in + v - w_.before) * channels_ + q * panel);
        }
      }
    }
  }

  /// dx += dz W^T of n places, each into its window.
  void spread(Scratch& s, std::int64_t n, const std::int32_t* at, float* dx) const {
    const std::int64_t panel = kernels_.panel;
    const float* from[ConvKernels::max_rows];
    float* to[ConvKernels::max_rows];
    for (std::int64_t i = 0; i < h_.kernel; ++i)
      for (std::int64_t q = 0; q < slices_; ++q) {
        const float* weights = transposed_.data() + (i * slices_ + q) * filters_ * panel;
        const auto valid = std::min(panel, row_ - q * panel);
        const bool whole = valid == panel;
        for (std::int64_t p = 0; p < n; p += kernels_.multiply_rows) {
          const auto rows = std::min<std::int64_t>(kernels_.multiply_rows, n - p);
          for (std::int64_t r = 0; r < rows; ++r) {
            from[r] = s.dz.data() + (p + r) * width_;
            to[r] = whole ? dx + at[p + r] + i * line_ + q * panel : &s.edge[r * panel];
          }
          kernels_.multiply(static_cast<int>(rows), filters_, dz_at_.data(), from, weights, to,
                            whole ? ConvKernels::Finish::add : ConvKernels::Finish::set, nullptr);
          for (std::int64_t r = 0; !whole && r < rows; ++r)
            for (std::int64_t t = 0; t < valid; ++t) dx[at[p + r] + i * line_ + q * panel + t] += to[r][t];
        }
      }
  }

  const ConvKernels& kernels_ = conv_kernels();
  LayerBinding binding_;
  Activation activation_;
  bool use_bias_, padded_ = false, gather_ = false;
  std::int64_t places_, filters_;
  WindowAxis h_, w_;
  std::int64_t channels_;
  std::int64_t row_ = 0, line_ = 0, k_ = 0;           // kw C; padded W times C; kh kw C
  std::int64_t panels_ = 0, width_ = 0, slices_ = 0;  // filters in panels; padded filters; dx in panels
  std::int64_t above_ = 0;                            // places in kh - 1 lines
  std::int64_t block_ = 0, most_pieces_ = 0;
  std::vector<std::int32_t> places_at_, taps_at_;  // offsets into a padded row of the batch
  std::vector<std::int32_t> dz_at_;                // of (j, i, f), from dz at the first j
  AlignedFloats packed_, transposed_, bias_, partial_;
  std::vector<Scratch> scratch_;
};

class Conv2DLayer final : public config::WithOptions<Layer, Conv2DOptions> {
 public:
  Conv2DLayer(Conv2DOptions options, std::int64_t) : WithOptions(std::move(options)) {}

  Shape infer(const Shape& input) const override {
    const auto w = window_of(options_, input);
    return {w.h.out, w.w.out, options_.filters};
  }
  std::vector<ParameterSpec> parameters(const Shape& input) const override {
    const auto& size = options_.kernel_size;
    std::vector<ParameterSpec> out;
    out.push_back({.name = "kernel",
                   .shape = {size.h, size.w, picture(input).back(), options_.filters},
                   .initialiser = Initialiser::glorot_uniform,
                   .global_penalty = true,
                   .penalty = options_.kernel_regulariser});
    if (options_.use_bias) out.push_back({.name = "bias", .shape = {options_.filters}});
    return out;
  }
  std::string keras_class() const override { return "Conv2D"; }
  nlohmann::ordered_json keras_config() const override {
    return {{"trainable", true},
            {"dtype", "float32"},
            {"filters", options_.filters},
            {"kernel_size", {options_.kernel_size.h, options_.kernel_size.w}},
            {"strides", {options_.strides.h, options_.strides.w}},
            {"padding", options_.padding},
            {"data_format", "channels_last"},
            {"dilation_rate", {1, 1}},
            {"groups", 1},
            {"activation", options_.activation},
            {"use_bias", options_.use_bias},
            {"kernel_regularizer", keras_regularizer(options_.kernel_regulariser)}};
  }
  std::string to_onnx(OnnxPlace& place) const override {
    const auto w = window_of(options_, place.input);
    const auto filters = options_.filters, taps = w.h.kernel * w.w.kernel;
    // (kh, kw, C, filters) becomes (filters, C, kh, kw).
    std::vector<float> kernel(place.weights[0].size());
    for (std::int64_t t = 0; t < taps; ++t)
      for (std::int64_t c = 0; c < w.channels; ++c)
        for (std::int64_t f = 0; f < filters; ++f)
          kernel[std::size_t((f * w.channels + c) * taps + t)] =
              place.weights[0][std::size_t((t * w.channels + c) * filters + f)];
    std::vector<std::string> inputs{onnx_channels_first(place)};
    inputs.push_back(
        place.graph.constant("kernel", {filters, w.channels, w.h.kernel, w.w.kernel}, std::move(kernel)));
    if (options_.use_bias)
      inputs.push_back(
          place.graph.constant("bias", {filters}, {place.weights[1].begin(), place.weights[1].end()}));
    const auto y = place.graph.add("Conv", std::move(inputs), onnx_window(w));
    return place.graph.activation(options_.activation, onnx_channels_last(place, y));
  }
};

const LayerRegistration<Conv2DLayer, Conv2DOptions> layer{
    {{"{filters: 5, kernel_size: [3, 3], activation: relu}", {9, 7, 2}},
     {"{filters: 3, kernel_size: [2, 2]}", {6, 5}},
     {"{filters: 4, kernel_size: [3, 2], strides: [2, 2], padding: same, use_bias: false}", {8, 7, 3}}}};
const CpuOps::Add<Conv2DCpu, Conv2DOptions> cpu;

}  // namespace
}  // namespace timbre::nn
