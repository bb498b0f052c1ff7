// The batch is cut into pieces of a few rows by its size alone; a piece runs through all time steps on one thread, without a
// barrier. Inside a piece the arrays lie time-major [T, rows, ...]: x W, dW, dR and dx are one product each, h R one for each
// step. The pieces' sums of dW, dR and the biases' gradients are added in the order of pieces.
#include "nn/layers/gru.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/gemm.hpp"
#include "core/simd.hpp"
#include "nn/layers/flush_denormals.hpp"
#include "nn/layers/gru_cell.hpp"
#include "nn/layers/keras_options.hpp"
#include "nn/layers/skipping.hpp"
#include "nn/onnx.hpp"

namespace timbre::nn {

const config::Schema<GruOptions>& schema(config::of<GruOptions>) {
  static const auto s =
      config::Schema<GruOptions>(
          "gated recurrent unit over a sequence: (T, F) to (units,), or to (T, units) with return_sequences")
          .required("units", &GruOptions::units, "size of the state and of the output")
          .field("return_sequences", &GruOptions::return_sequences,
                 "whether the output of every step is given, not only of the last. A layer that reads a "
                 "sequence needs "
                 "it before it")
          .field("go_backwards", &GruOptions::go_backwards, "whether the sequence is read from its end")
          .field("use_bias", &GruOptions::use_bias,
                 "whether the gates have biases, one of the input and one of the state")
          .field("reset_after", &GruOptions::reset_after,
                 "whether the reset gate comes after the product with the state, as in Keras and cuDNN; only "
                 "true is known")
          .field("kernel_regulariser", &GruOptions::kernel_regulariser,
                 "penalty on the kernel; replaces regularisation.l1 and l2 for it")
          .field("recurrent_regulariser", &GruOptions::recurrent_regulariser,
                 "penalty on the recurrent kernel, which has none otherwise")
          .check([](const GruOptions& o) -> std::string {
            return o.reset_after ? ""
                                 : "reset_after: false is not supported: cuDNN has no such GRU, and one "
                                   "model must run on "
                                   "every device";
          })
          .shorthand();
  return s;
}

namespace {

class GruCpu final : public LayerOp {
 public:
  GruCpu(const GruOptions& options, const LayerBinding& binding)
      : binding_(binding),
        options_(options),
        steps_(binding.input[0]),
        in_(binding.input[1]),
        units_(binding.output.back()),
        scratch_(std::size_t(binding.pool->threads())) {}

  void forward(const StepContext& context, const float* x, float* y) override {
    const bool keep = context.training && !binding_.gradients.empty();
    kernel_.pack(Op::none, in_, gates(), binding_.parameters[0], gates());
    recurrent_.pack(Op::none, units_, gates(), binding_.parameters[1], gates());
    if (keep) {
      const auto cells = std::size_t(steps_ * context.rows * units_);
      grow(gates_, 3 * cells), grow(recurrent_n_, cells);
      grow(h_, std::size_t((steps_ + 1) * context.rows * units_));
    }
    const auto pieces = pieces_of(context.rows);
    binding_.pool->parallel_for(pieces, [&](std::int64_t i, int thread) {
      const FlushDenormals guard;
      forward_piece(piece_of(context.rows, pieces, i), keep, scratch_[std::size_t(thread)], x, y);
    });
  }

  void backward(const StepContext& context, const float* x, const float*, float* dy, float* dx) override {
    const auto pieces = pieces_of(context.rows);
    recurrent_back_.pack(Op::transpose, gates(), units_, binding_.parameters[1], gates());
    if (binding_.input_gradient)
      kernel_back_.pack(Op::transpose, gates(), in_, binding_.parameters[0], gates());
    grow(partial_, std::size_t(pieces * partial_size()));
    binding_.pool->parallel_for(pieces, [&](std::int64_t i, int thread) {
      const FlushDenormals guard;
      backward_piece(piece_of(context.rows, pieces, i), scratch_[std::size_t(thread)],
                     partial_.data() + i * partial_size(), x, dy, binding_.input_gradient ? dx : nullptr);
    });
    add_partials(pieces);
  }

 private:
  // Work space of one thread.
  struct Scratch {
    AlignedFloats x, gates, recurrent, h, dh, d_recurrent;
  };

  static void grow(AlignedFloats& buffer, std::size_t size) {
    if (buffer.size() < size) buffer.resize(size);
  }
  std::int64_t gates() const { return 3 * units_; }
  // At most 10 rows: what one tile of the products holds. An even number of pieces, for two threads or four.
  static std::int64_t pieces_of(std::int64_t rows) { return std::min(rows, 2 * piece_count(rows, 2 * 10)); }
  std::int64_t time_of(std::int64_t step) const { return options_.go_backwards ? steps_ - 1 - step : step; }
  std::int64_t partial_size() const { return (in_ + units_ + 2) * gates(); }
  const float* bias() const { return options_.use_bias ? binding_.parameters[2] : nullptr; }

  /// x of a piece, time-major: [T, rows, F]
  void gather(Piece piece, const float* x, float* out) const {
    for (std::int64_t s = 0; s < steps_; ++s)
      for (std::int64_t r = piece.begin; r < piece.end; ++r, out += in_)
        std::copy_n(x + (r * steps_ + time_of(s)) * in_, in_, out);
  }

  /// One step of `rows` rows: gates of x W -> z, r, n, in place; recurrent: h R.
  void step(std::int64_t rows, float* gates_now, const float* recurrent, const float* h_before,
            float* recurrent_n, float* h) const {
    const auto u = units_;
    const float* b = bias();
    vectorised([&] {
      for (std::int64_t r = 0; r < rows; ++r) {
        float* g = gates_now + r * 3 * u;
        const float* p = recurrent + r * 3 * u;
#pragma omp simd
        for (std::int64_t j = 0; j < u; ++j) {
          const float from_x[3] = {g[j] + (b ? b[j] : 0.0f), g[u + j] + (b ? b[u + j] : 0.0f),
                                   g[2 * u + j] + (b ? b[2 * u + j] : 0.0f)};
          const float from_h[3] = {p[j] + (b ? b[3 * u + j] : 0.0f), p[u + j] + (b ? b[4 * u + j] : 0.0f),
                                   p[2 * u + j] + (b ? b[5 * u + j] : 0.0f)};
          const auto unit = gru_forward(from_x, from_h, h_before[r * u + j]);
          g[j] = unit.z, g[u + j] = unit.r, g[2 * u + j] = unit.n;
          recurrent_n[r * u + j] = from_h[2];
          h[r * u + j] = unit.h;
        }
      }
    });
  }

  void forward_piece(Piece piece, bool keep, Scratch& w, const float* x, float* y) {
    const auto rows = piece.size(), cells = rows * units_;
    grow(w.x, std::size_t(steps_ * rows * in_));
    grow(w.recurrent, std::size_t(rows * gates()));
    if (!keep) {
      grow(w.gates, std::size_t(steps_ * rows * gates()));
      grow(w.h, std::size_t(3 * cells));
    }
    // Kept arrays hold every step (h from the initial state on); otherwise h alternates between two.
    float* z = keep ? gates_.data() + piece.begin * steps_ * gates() : w.gates.data();
    float* h = keep ? h_.data() + piece.begin * (steps_ + 1) * units_ : w.h.data();
    float* n = keep ? recurrent_n_.data() + piece.begin * steps_ * units_ : w.h.data() + 2 * cells;
    std::fill_n(h, cells, 0.0f);
    gather(piece, x, w.x.data());
    gemm(Op::none, steps_ * rows, w.x.data(), in_, kernel_.view(), Store::set, z, gates());
    for (std::int64_t s = 0; s < steps_; ++s) {
      const float* before = h + (keep ? s : s % 2) * cells;
      float* now = h + (keep ? s + 1 : (s + 1) % 2) * cells;
      gemm(Op::none, rows, before, units_, recurrent_.view(), Store::set, w.recurrent.data(), gates());
      step(rows, z + s * rows * gates(), w.recurrent.data(), before, keep ? n + s * cells : n, now);
      if (!options_.return_sequences && s + 1 < steps_) continue;
      for (std::int64_t r = 0; r < rows; ++r)
        std::copy_n(now + r * units_, units_,
                    options_.return_sequences ? y + ((piece.begin + r) * steps_ + s) * units_
                                              : y + (piece.begin + r) * units_);
    }
  }

  /// One step back: gates z, r, n -> the gradients of x W + b, in place; those of h R + c, and of h before, the direct part.
  void step_back(std::int64_t rows, float* gates_now, const float* recurrent_n, const float* h_before,
                 float* dh, float* d_recurrent) const {
    const auto u = units_;
    vectorised([&] {
      for (std::int64_t r = 0; r < rows; ++r) {
        float* g = gates_now + r * 3 * u;
        float* d = d_recurrent + r * 3 * u;
#pragma omp simd
        for (std::int64_t j = 0; j < u; ++j) {
          const auto at = r * u + j;
          const auto back = gru_backward(g[j], g[u + j], g[2 * u + j], recurrent_n[at], h_before[at], dh[at]);
          g[j] = d[j] = back.z, g[u + j] = d[u + j] = back.r;
          g[2 * u + j] = back.n, d[2 * u + j] = back.n_recurrent;
          dh[at] = back.h_before;
        }
      }
    });
  }

  static void sum_rows(std::int64_t rows, std::int64_t columns, const float* a, float* sum) {
    std::fill_n(sum, columns, 0.0f);
    vectorised([&] {
      for (std::int64_t r = 0; r < rows; ++r)
        for (std::int64_t c = 0; c < columns; ++c) sum[c] += a[r * columns + c];
    });
  }

  void backward_piece(Piece piece, Scratch& w, float* partial, const float* x, const float* dy, float* dx) {
    const auto rows = piece.size(), cells = rows * units_, all = steps_ * rows;
    grow(w.x, std::size_t(all * in_)), grow(w.dh, std::size_t(cells)),
        grow(w.d_recurrent, std::size_t(all * gates()));
    float* z = gates_.data() + piece.begin * steps_ * gates();
    const float* h = h_.data() + piece.begin * (steps_ + 1) * units_;
    const float* n = recurrent_n_.data() + piece.begin * steps_ * units_;
    std::fill_n(w.dh.data(), cells, 0.0f);
    for (std::int64_t s = steps_ - 1; s >= 0; --s) {
      if (options_.return_sequences || s + 1 == steps_)
        for (std::int64_t r = 0; r < rows; ++r) {
          const float* from = options_.return_sequences ? dy + ((piece.begin + r) * steps_ + s) * units_
                                                        : dy + (piece.begin + r) * units_;
          for (std::int64_t j = 0; j < units_; ++j) w.dh[std::size_t(r * units_ + j)] += from[j];
        }
      float* d = w.d_recurrent.data() + s * rows * gates();
      step_back(rows, z + s * rows * gates(), n + s * cells, h + s * cells, w.dh.data(), d);
      if (s > 0) gemm(Op::none, rows, d, gates(), recurrent_back_.view(), Store::add, w.dh.data(), units_);
    }
    float *d_kernel = partial, *d_recurrent = d_kernel + in_ * gates(),
          *d_bias = d_recurrent + units_ * gates();
    gather(piece, x, w.x.data());
    gemm(Op::transpose, Op::none, in_, gates(), all, w.x.data(), in_, z, gates(), Store::set, d_kernel,
         gates());
    gemm(Op::transpose, Op::none, units_, gates(), all, h, units_, w.d_recurrent.data(), gates(), Store::set,
         d_recurrent, gates());
    sum_rows(all, gates(), z, d_bias);
    sum_rows(all, gates(), w.d_recurrent.data(), d_bias + gates());
    if (!dx) return;
    gemm(Op::none, all, z, gates(), kernel_back_.view(), Store::set, w.x.data(), in_);
    const float* from = w.x.data();
    for (std::int64_t s = 0; s < steps_; ++s)
      for (std::int64_t r = piece.begin; r < piece.end; ++r, from += in_)
        std::copy_n(from, in_, dx + (r * steps_ + time_of(s)) * in_);
  }

  /// The gradients: the sums of the pieces' partial ones, in the order of pieces.
  void add_partials(std::int64_t pieces) {
    const std::int64_t sizes[] = {in_ * gates(), units_ * gates(), 2 * gates()};
    constexpr std::int64_t at_once = 1 << 14;
    std::int64_t first = 0;
    for (std::size_t k = 0; k < binding_.gradients.size(); first += sizes[k++]) {
      float* to = binding_.gradients[k];
      const auto blocks = piece_count(sizes[k], at_once);
      binding_.pool->parallel_for(blocks, [&](std::int64_t i, int) {
        const auto part = piece_of(sizes[k], blocks, i);
        vectorised([&] {
          for (auto j = part.begin; j < part.end; ++j) to[j] = partial_[std::size_t(first + j)];
          for (std::int64_t p = 1; p < pieces; ++p)
            for (auto j = part.begin; j < part.end; ++j)
              to[j] += partial_[std::size_t(p * partial_size() + first + j)];
        });
        binding_.gradient_ready(to + part.begin, part.size());
      });
    }
  }

  LayerBinding binding_;
  GruOptions options_;
  std::int64_t steps_, in_, units_;
  PackedMatrix kernel_, recurrent_, kernel_back_, recurrent_back_;
  AlignedFloats gates_, recurrent_n_, h_, partial_;  // [pieces][T, rows, ..], what backward needs
  std::vector<Scratch> scratch_;
};

class GruLayer final : public config::WithOptions<Layer, GruOptions> {
 public:
  GruLayer(GruOptions options, std::int64_t classes)
      : WithOptions(std::move(options)), units_(options_.units.classes ? classes : options_.units.value) {}

  Shape infer(const Shape& input) const override {
    if (input.rank() != 2)
      fail_request("needs an input of rank 2 (T, F), not {}; the layer before must give a sequence{}",
                   input.str(), input.rank() == 1 ? " (a gru does with return_sequences: true)" : "");
    return options_.return_sequences ? Shape{input[0], units_} : Shape{units_};
  }
  std::vector<ParameterSpec> parameters(const Shape& input) const override {
    std::vector<ParameterSpec> out;
    out.push_back({.name = "kernel",
                   .shape = {input[1], 3 * units_},
                   .initialiser = Initialiser::glorot_uniform,
                   .global_penalty = true,
                   .penalty = options_.kernel_regulariser});
    out.push_back({.name = "recurrent_kernel",
                   .shape = {units_, 3 * units_},
                   .initialiser = Initialiser::orthogonal,
                   .penalty = options_.recurrent_regulariser});
    if (options_.use_bias) out.push_back({.name = "bias", .shape = {2, 3 * units_}});
    return out;
  }
  MaskUse mask_use() const override { return MaskUse::takes; }
  std::string keras_class() const override { return "GRU"; }
  nlohmann::ordered_json keras_config() const override {
    return {{"trainable", true},
            {"dtype", "float32"},
            {"return_sequences", options_.return_sequences},
            {"return_state", false},
            {"go_backwards", options_.go_backwards},
            {"stateful", false},
            {"unroll", false},
            {"units", units_},
            {"activation", "tanh"},
            {"recurrent_activation", "sigmoid"},
            {"use_bias", options_.use_bias},
            {"kernel_regularizer", keras_regularizer(options_.kernel_regulariser)},
            {"recurrent_regularizer", keras_regularizer(options_.recurrent_regulariser)},
            {"dropout", 0.0},
            {"recurrent_dropout", 0.0},
            {"reset_after", true}};
  }
  std::string to_onnx(OnnxPlace& place) const override {
    if (!place.mask.empty())
      return onnx_skip_masked_steps(place, options_.go_backwards, options_.return_sequences,
                                    [&](OnnxPlace& inner) {
                                      auto every = options_;
                                      every.return_sequences = true;
                                      return GruLayer(every, units_).to_onnx(inner);
                                    });
    auto& g = place.graph;
    const auto in = place.input[1], u = units_;
    const auto transposed = [&](std::span<const float> from, std::int64_t rows) {  // [rows, 3u] to [3u, rows]
      std::vector<float> out(from.size());
      for (std::int64_t j = 0; j < 3 * u; ++j)
        for (std::int64_t r = 0; r < rows; ++r)
          out[std::size_t(j * rows + r)] = from[std::size_t(r * 3 * u + j)];
      return out;
    };
    std::vector<std::string> inputs{
        g.add("Transpose", {place.x}, {{"perm", std::vector<std::int64_t>{1, 0, 2}}}),
        g.constant("kernel", {1, 3 * u, in}, transposed(place.weights[0], in)),
        g.constant("recurrent_kernel", {1, 3 * u, u}, transposed(place.weights[1], u))};
    if (options_.use_bias)
      inputs.push_back(g.constant("bias", {1, 6 * u}, {place.weights[2].begin(), place.weights[2].end()}));
    const int last = options_.return_sequences ? 0 : 1;  // of its outputs: all h [T, 1, batch, u], the last h
    auto y = g.add("GRU", std::move(inputs),
                   {{"hidden_size", u},
                    {"linear_before_reset", std::int64_t{1}},
                    {"direction", std::string(options_.go_backwards ? "reverse" : "forward")}},
                   last);
    y = g.add("Squeeze", {y, g.integers("direction_axis", {last == 0 ? 1 : 0})});
    if (!options_.return_sequences) return y;
    if (options_.go_backwards) y = onnx_reversed(g, y, 0);  // ONNX gives them in the order of time
    return g.add("Transpose", {y}, {{"perm", std::vector<std::int64_t>{1, 0, 2}}});
  }

 private:
  std::int64_t units_;
};

const LayerRegistration<GruLayer, GruOptions> layer{
    {{"{units: 6, return_sequences: true}", {7, 5}},
     {"{units: 9}", {6, 4}},
     {"{units: 5, go_backwards: true, use_bias: false}", {5, 3}}}};
struct GruOnCpu {
  static std::unique_ptr<LayerOp> make(const GruOptions& options, const LayerBinding& binding) {
    return with_mask<GruCpu>(options, binding);
  }
};
const CpuOps::Add<GruOnCpu, GruOptions> cpu;

}  // namespace
}  // namespace timbre::nn
