// The batch is cut into pieces of a few rows by its size alone; a piece runs through all time steps on one
// thread, without a barrier. Inside a piece the arrays lie time-major [T, rows, ...]: x W is one product per
// chunk of steps, the recurrent product is the cell's, and dW, dR, dx are one product each per chunk. The pieces'
// sums of dW, dR, db are added in the order of pieces.
#include "nn/layers/lstm.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/gemm.hpp"
#include "core/simd.hpp"
#include "nn/layers/flush_denormals.hpp"
#include "nn/layers/keras_options.hpp"
#include "nn/layers/lstm_cell.hpp"
#include "nn/layers/skipping.hpp"
#include "nn/onnx.hpp"

namespace timbre::nn {

const config::Schema<LstmOptions>& schema(config::of<LstmOptions>) {
  static const auto s =
      config::Schema<LstmOptions>(
          "long short-term memory over a sequence: (T, F) to (units,), or to (T, units) with "
          "return_sequences")
          .required("units", &LstmOptions::units, "size of the state and of the output")
          .field("return_sequences", &LstmOptions::return_sequences,
                 "whether the output of every step is given, not only of the last. A layer that reads a "
                 "sequence needs it before it")
          .field("go_backwards", &LstmOptions::go_backwards, "whether the sequence is read from its end")
          .field("use_bias", &LstmOptions::use_bias, "whether the gates have a bias")
          .field("unit_forget_bias", &LstmOptions::unit_forget_bias,
                 "whether the forget gate's bias starts at 1 instead of 0")
          .field("kernel_regulariser", &LstmOptions::kernel_regulariser,
                 "penalty on the kernel; replaces regularisation.l1 and l2 for it")
          .field("recurrent_regulariser", &LstmOptions::recurrent_regulariser,
                 "penalty on the recurrent kernel, which has none otherwise")
          .shorthand();
  return s;
}

namespace {

void add_rows(const float* a, std::int64_t rows, std::int64_t columns, float* sum) {
  vectorised([&] {
    for (std::int64_t r = 0; r < rows; ++r, a += columns) {
#pragma omp simd
      for (std::int64_t c = 0; c < columns; ++c) sum[c] += a[c];
    }
  });
}

class LstmCpu final : public LayerOp {
 public:
  LstmCpu(const LstmOptions& options, const LayerBinding& binding)
      : binding_(binding),
        options_(options),
        size_(lstm_size(binding.output.back())),
        steps_(binding.input[0]),
        in_(binding.input[1]),
        cell_(lstm_cell_for(isa())),
        gemm_layout_(packed_layout()),
        scratch_(std::size_t(binding.pool->threads())) {}

  void forward(const StepContext& context, const float* x, float* y) override {
    const bool keep = context.training && !binding_.gradients.empty();
    pack(keep);
    if (keep) {
      const auto cells = std::size_t(context.rows * size_.padded);
      grow(z_, std::size_t(steps_) * std::size_t(context.rows * size_.gates()));
      grow(h_, std::size_t(steps_ + 1) * cells);
      grow(c_, std::size_t(steps_ + 1) * cells);
      grow(tanh_c_, std::size_t(steps_) * cells);
    }
    const auto pieces = pieces_of(context.rows);
    binding_.pool->parallel_for(pieces, [&](std::int64_t i, int thread) {
      const FlushDenormals guard;
      forward_piece(piece_of(context.rows, pieces, i), keep, scratch_[std::size_t(thread)], x, y);
    });
  }

  void backward(const StepContext& context, const float* x, const float*, float* dy, float* dx) override {
    const auto pieces = pieces_of(context.rows);
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
    AlignedFloats x, dx, z, h, c, tanh_c, dh, dc, packed_dz;
  };

  static void grow(AlignedFloats& buffer, std::size_t size) {
    if (buffer.size() < size) buffer.resize(size);
  }
  // At most 10 rows: what one tile of the products holds. An even number of pieces, for two threads or four.
  static std::int64_t pieces_of(std::int64_t rows) { return std::min(rows, 2 * piece_count(rows, 2 * 10)); }
  // Steps whose rows make one product: few enough that they are still in the second-level cache.
  std::int64_t chunk_of(std::int64_t rows) const {
    constexpr std::int64_t chunk_rows = 192;
    return std::clamp<std::int64_t>(chunk_rows / rows, 1, steps_);
  }
  std::int64_t time_of(std::int64_t step) const { return options_.go_backwards ? steps_ - 1 - step : step; }
  std::int64_t partial_size() const { return (in_ + size_.units + 1) * size_.gates(); }

  // The weights in the order in which the products read them, once per call.
  void pack(bool training) {
    const auto units = size_.units, gates = size_.gates();
    grow(kernel_, std::size_t(gemm_layout_.size(in_, gates)));
    grow(recurrent_, std::size_t(cell_.layout.size(units, gates)));
    grow(bias_, std::size_t(gates));
    if (training) grow(recurrent_backward_, std::size_t(cell_.layout.size(gates, units)));
    if (training && binding_.input_gradient)
      grow(kernel_backward_, std::size_t(gemm_layout_.size(gates, in_)));
    binding_.pool->parallel_for(size_.padded / 16, [&](std::int64_t block, int) {
      const float *kernel = binding_.parameters[0], *recurrent = binding_.parameters[1];
      const auto end = block + 1;
      cell_.pack_forward(size_, in_, kernel, kernel_.data(), gemm_layout_, block, end);
      cell_.pack_forward(size_, units, recurrent, recurrent_.data(), cell_.layout, block, end);
      if (training)
        cell_.pack_backward(size_, units, recurrent, recurrent_backward_.data(), cell_.layout, block, end);
      if (training && binding_.input_gradient)
        cell_.pack_backward(size_, in_, kernel, kernel_backward_.data(), gemm_layout_, block, end);
      for (std::int64_t g = 0; options_.use_bias && g < 4; ++g)
        std::copy_n(binding_.parameters[2] + g * units + block * 16,
                    std::min<std::int64_t>(16, units - block * 16), bias_.data() + (block * 4 + g) * 16);
    });
  }

  // x of steps [first, last) of a piece, time-major: [steps, rows, F]
  void gather(Piece piece, std::int64_t first, std::int64_t last, const float* x, float* out) const {
    for (std::int64_t s = first; s < last; ++s)
      for (std::int64_t r = piece.begin; r < piece.end; ++r, out += in_)
        std::copy_n(x + (r * steps_ + time_of(s)) * in_, in_, out);
  }

  void forward_piece(Piece piece, bool keep, Scratch& w, const float* x, float* y) {
    const auto rows = piece.size(), cells = rows * size_.padded, gates = size_.gates(), units = size_.units;
    const auto chunk = chunk_of(rows);
    grow(w.x, std::size_t(chunk * rows * in_));
    if (!keep) {
      grow(w.z, std::size_t(chunk * rows * gates));
      grow(w.h, std::size_t(2 * cells)), grow(w.c, std::size_t(2 * cells)),
          grow(w.tanh_c, std::size_t(cells));
    }
    // Kept arrays hold every step (h, c from the initial state on); others alternate between two.
    float* z = keep ? z_.data() + piece.begin * steps_ * gates : w.z.data();
    float* h = keep ? h_.data() + piece.begin * (steps_ + 1) * size_.padded : w.h.data();
    float* c = keep ? c_.data() + piece.begin * (steps_ + 1) * size_.padded : w.c.data();
    float* tanh_c = keep ? tanh_c_.data() + piece.begin * steps_ * size_.padded : w.tanh_c.data();
    std::fill_n(h, cells, 0.0f);
    std::fill_n(c, cells, 0.0f);
    for (std::int64_t first = 0; first < steps_; first += chunk) {
      const auto last = std::min(first + chunk, steps_);
      float* z_chunk = keep ? z + first * rows * gates : z;
      gather(piece, first, last, x, w.x.data());
      gemm(Op::none, (last - first) * rows, w.x.data(), in_, {in_, gates, kernel_.data()}, Store::set,
           z_chunk, gates);
      for (std::int64_t s = first; s < last; ++s) {
        const auto before = keep ? s : s % 2, now = keep ? s + 1 : (s + 1) % 2;
        cell_.forward(size_, {.rows = rows,
                              .recurrent = recurrent_.data(),
                              .bias = bias_.data(),
                              .z = z_chunk + (s - first) * rows * gates,
                              .h_before = h + before * cells,
                              .c_before = c + before * cells,
                              .c = c + now * cells,
                              .tanh_c = keep ? tanh_c + s * cells : tanh_c,
                              .h = h + now * cells});
        if (!options_.return_sequences && s + 1 < steps_) continue;
        for (std::int64_t r = 0; r < rows; ++r)
          std::copy_n(h + now * cells + r * size_.padded, units,
                      options_.return_sequences ? y + ((piece.begin + r) * steps_ + s) * units
                                                : y + (piece.begin + r) * units);
      }
    }
  }

  void backward_piece(Piece piece, Scratch& w, float* partial, const float* x, const float* dy, float* dx) {
    const auto rows = piece.size(), cells = rows * size_.padded, gates = size_.gates(), units = size_.units;
    const auto chunk = chunk_of(rows);
    grow(w.x, std::size_t(chunk * rows * in_));
    if (dx) grow(w.dx, std::size_t(chunk * rows * in_));
    grow(w.dh, std::size_t(cells)), grow(w.dc, std::size_t(cells));
    grow(w.packed_dz, std::size_t(gemm_layout_.size(chunk * rows, gates)));
    float* z = z_.data() + piece.begin * steps_ * gates;
    const float* h = h_.data() + piece.begin * (steps_ + 1) * size_.padded;
    const float* c = c_.data() + piece.begin * (steps_ + 1) * size_.padded;
    const float* tanh_c = tanh_c_.data() + piece.begin * steps_ * size_.padded;
    float *d_kernel = partial, *d_recurrent = partial + in_ * gates, *d_bias = d_recurrent + units * gates;
    std::fill_n(w.dc.data(), cells, 0.0f);
    std::fill_n(d_bias, gates, 0.0f);
    for (std::int64_t last = steps_; last > 0;) {
      const auto first = std::max<std::int64_t>(0, last - chunk), count = (last - first) * rows;
      for (std::int64_t s = last - 1; s >= first; --s) {
        std::fill_n(w.dh.data(), cells, 0.0f);
        if (options_.return_sequences || s + 1 == steps_)
          for (std::int64_t r = 0; r < rows; ++r)
            std::copy_n(options_.return_sequences ? dy + ((piece.begin + r) * steps_ + s) * units
                                                  : dy + (piece.begin + r) * units,
                        units, w.dh.data() + r * size_.padded);
        cell_.backward(size_, {.rows = rows,
                               .recurrent = recurrent_backward_.data(),
                               .dz_after = s + 1 < steps_ ? z + (s + 1) * rows * gates : nullptr,
                               .dh = w.dh.data(),
                               .dc = w.dc.data(),
                               .c_before = c + s * cells,
                               .h_before = h + s * cells,
                               .tanh_c = tanh_c + s * cells,
                               .z = z + s * rows * gates,
                               .packed_dz = w.packed_dz.data(),
                               .layout = gemm_layout_,
                               .packed_row = (s - first) * rows,
                               .packed_rows = count,
                               .d_bias = d_bias});
      }
      const float* dz = z + first * rows * gates;
      const auto store = last == steps_ ? Store::set : Store::add;
      gather(piece, first, last, x, w.x.data());
      const PackedView packed_dz{count, gates, w.packed_dz.data()};
      gemm(Op::transpose, in_, w.x.data(), in_, packed_dz, store, d_kernel, gates);
      gemm(Op::transpose, units, h + first * cells, size_.padded, packed_dz, store, d_recurrent, gates);
      if (dx) {
        gemm(Op::none, count, dz, gates, {gates, in_, kernel_backward_.data()}, Store::set, w.dx.data(), in_);
        const float* from = w.dx.data();
        for (std::int64_t s = first; s < last; ++s)
          for (std::int64_t r = piece.begin; r < piece.end; ++r, from += in_)
            std::copy_n(from, in_, dx + (r * steps_ + time_of(s)) * in_);
      }
      last = first;
    }
  }

  // gradient = sum of the pieces' partial sums, back in Keras's order of gates
  void add_partials(std::int64_t pieces) {
    const auto units = size_.units, gates = size_.gates();
    const auto rows = in_ + units + (options_.use_bias ? 1 : 0);
    constexpr std::int64_t rows_at_once = 32;
    const auto& g = binding_.gradients;
    for (auto& w : scratch_) grow(w.z, std::size_t(gates));
    binding_.pool->parallel_for(piece_count(rows, rows_at_once), [&](std::int64_t i, int thread) {
      float* sum = scratch_[std::size_t(thread)].z.data();
      for (auto row = i * rows_at_once; row < std::min(rows, (i + 1) * rows_at_once); ++row) {
        std::copy_n(partial_.data() + row * gates, gates, sum);
        for (std::int64_t p = 1; p < pieces; ++p)
          add_rows(partial_.data() + p * partial_size() + row * gates, 1, gates, sum);
        float* to = row < in_           ? g[0] + row * 4 * units
                    : row < in_ + units ? g[1] + (row - in_) * 4 * units
                                        : g[2];
        for (std::int64_t gate = 0; gate < 4; ++gate)
          for (std::int64_t block = 0; block < size_.padded / 16; ++block)
            std::copy_n(sum + (block * 4 + gate) * 16, std::min<std::int64_t>(16, units - block * 16),
                        to + gate * units + block * 16);
      }
    });
  }

  LayerBinding binding_;
  LstmOptions options_;
  LstmSize size_;
  std::int64_t steps_, in_;
  const LstmCell& cell_;
  PackedLayout gemm_layout_;
  AlignedFloats kernel_, recurrent_, kernel_backward_, recurrent_backward_;  // packed
  AlignedFloats bias_;                                                       // in the order of z
  AlignedFloats z_, h_, c_, tanh_c_;  // what backward needs, piece after piece
  AlignedFloats partial_;             // [pieces][F + u + 1, 4 padded]
  std::vector<Scratch> scratch_;
};

class LstmLayer final : public config::WithOptions<Layer, LstmOptions> {
 public:
  LstmLayer(LstmOptions options, std::int64_t classes)
      : WithOptions(std::move(options)), units_(options_.units.classes ? classes : options_.units.value) {}

  Shape infer(const Shape& input) const override {
    if (input.rank() != 2)
      fail_request("needs an input of rank 2 (T, F), not {}; the layer before must give a sequence{}",
                   input.str(), input.rank() == 1 ? " (an lstm does with return_sequences: true)" : "");
    return options_.return_sequences ? Shape{input[0], units_} : Shape{units_};
  }
  std::vector<ParameterSpec> parameters(const Shape& input) const override {
    std::vector<ParameterSpec> out;
    out.push_back({.name = "kernel",
                   .shape = {input[1], 4 * units_},
                   .initialiser = Initialiser::glorot_uniform,
                   .global_penalty = true,
                   .penalty = options_.kernel_regulariser});
    out.push_back({.name = "recurrent_kernel",
                   .shape = {units_, 4 * units_},
                   .initialiser = Initialiser::orthogonal,
                   .penalty = options_.recurrent_regulariser});
    if (options_.use_bias)
      out.push_back(
          {.name = "bias",
           .shape = {4 * units_},
           .initialiser = options_.unit_forget_bias ? Initialiser::unit_forget_bias : Initialiser::zeros});
    return out;
  }
  MaskUse mask_use() const override { return MaskUse::takes; }
  std::string keras_class() const override { return "LSTM"; }
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
            {"unit_forget_bias", options_.unit_forget_bias},
            {"kernel_regularizer", keras_regularizer(options_.kernel_regulariser)},
            {"recurrent_regularizer", keras_regularizer(options_.recurrent_regulariser)},
            {"dropout", 0.0},
            {"recurrent_dropout", 0.0}};
  }
  /// Time first (layout 0, which every runtime computes rightly), gates i o f c, Keras's bias as ONNX's input bias.
  std::string to_onnx(OnnxPlace& place) const override {
    if (!place.mask.empty())
      return onnx_skip_masked_steps(place, options_.go_backwards, options_.return_sequences,
                                    [&](OnnxPlace& inner) {
                                      auto every = options_;
                                      every.return_sequences = true;
                                      return LstmLayer(every, units_).to_onnx(inner);
                                    });
    auto& g = place.graph;
    const auto in = place.input[1], u = units_;
    const auto transposed = [&](std::span<const float> from, std::int64_t rows) {  // [rows, 4u] to [4u, rows]
      std::vector<float> out(from.size());
      constexpr std::int64_t keras_gate[4] = {0, 3, 1, 2};  // of ONNX's i o f c, in Keras's i f c o
      for (std::int64_t gate = 0; gate < 4; ++gate)
        for (std::int64_t j = 0; j < u; ++j)
          for (std::int64_t r = 0; r < rows; ++r)
            out[std::size_t((gate * u + j) * rows + r)] =
                from[std::size_t(r * 4 * u + keras_gate[gate] * u + j)];
      return out;
    };
    std::vector<std::string> inputs{
        g.add("Transpose", {place.x}, {{"perm", std::vector<std::int64_t>{1, 0, 2}}}),
        g.constant("kernel", {1, 4 * u, in}, transposed(place.weights[0], in)),
        g.constant("recurrent_kernel", {1, 4 * u, u}, transposed(place.weights[1], u))};
    if (options_.use_bias) {
      auto bias = transposed(place.weights[2], 1);
      bias.resize(std::size_t(8 * u), 0.0f);  // the recurrent half
      inputs.push_back(g.constant("bias", {1, 8 * u}, std::move(bias)));
    }
    const int last = options_.return_sequences ? 0 : 1;  // of its outputs: all h [T, 1, batch, u], the last h
    auto y =
        g.add("LSTM", std::move(inputs),
              {{"hidden_size", u}, {"direction", std::string(options_.go_backwards ? "reverse" : "forward")}},
              last);
    y = g.add("Squeeze", {y, g.integers("direction_axis", {last == 0 ? 1 : 0})});
    if (!options_.return_sequences) return y;
    if (options_.go_backwards) y = onnx_reversed(g, y, 0);  // ONNX gives them in the order of time
    return g.add("Transpose", {y}, {{"perm", std::vector<std::int64_t>{1, 0, 2}}});
  }

 private:
  std::int64_t units_;
};

const LayerRegistration<LstmLayer, LstmOptions> layer{
    {{"{units: 6, return_sequences: true}", {7, 5}},
     {"{units: 9}", {6, 4}},
     {"{units: 5, go_backwards: true, use_bias: false}", {5, 3}}}};
struct LstmOnCpu {
  static std::unique_ptr<LayerOp> make(const LstmOptions& options, const LayerBinding& binding) {
    return with_mask<LstmCpu>(options, binding);
  }
};
const CpuOps::Add<LstmOnCpu, LstmOptions> cpu;

}  // namespace
}  // namespace timbre::nn
