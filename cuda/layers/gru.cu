// gru (nn/layers/gru.hpp has the formula): on cuDNN (rnn_cudnn.hpp), or by own kernels, as the environment variable TIMBRE_GRU
// says: cudnn, own, or auto (the default), which takes cuDNN, and own kernels where cuDNN refuses. Neither has been timed on a
// GPU yet.
//
// By own kernels what does not depend on the step before is products over all rows and steps at once, in Keras's layout as the
// arena has it; a step is one product and one kernel:
//
//   forward   z = x W [rows * T, 3u]; for each step h R, and the unit's arithmetic
//   backward  for each step the unit's arithmetic, and dh += d R^T; then dW = x^T dz, dR = h'^T d, biases' sums, dx = dz W^T
//
// Arrays are batch-major, [rows, T, ..], in the order of x. y and dy are in the order of processing.
#include "cuda/layers/activation.hpp"
#include "cuda/layers/cuda_layer.hpp"
#include "cuda/layers/rnn_cudnn.hpp"
#include "cuda/layers/skipping.hpp"
#include "cuda/support/divisor.cuh"
#include "cuda/support/elementwise.cuh"
#include "device/algorithms.hpp"
#include "nn/layers/gru.hpp"
#include "nn/layers/gru_cell.hpp"

namespace timbre::cuda {

/// Where step `step` of a sequence is: `time` in the order of x.
struct GruPlace {
  Divisor units;
  std::int64_t steps, time, next_time, step;
  bool sequences;
  /// In arrays [rows, steps, u].
  TIMBRE_HD std::int64_t cell(std::int64_t row, std::int64_t at) const {
    return (row * steps + at) * units.divisor();
  }
  TIMBRE_HD std::int64_t output(std::int64_t row) const {
    return sequences ? cell(row, step) : row * units.divisor();
  }
};

/// One unit of one step. gates [rows, T, 3u]: x W becomes z, r, n.
struct GruForwardStep {
  GruPlace at;
  const float* bias;                      // (2, 3u), may be null
  const float* recurrent;                 // [rows, 3u]: h R; null at the first step, whose h is zero
  float *gates, *recurrent_n, *h_before;  // [rows, T, 3u], [rows, T, u] twice
  float* y;                               // null where this step's output is not wanted
  template <class Index>
  __device__ void operator()(Index i) const {
    const auto [row, unit] = at.units(i);
    const std::int64_t u = at.units.divisor(), j = unit, cell = at.cell(row, at.time) + j;
    float* g = gates + 3 * at.cell(row, at.time) + j;
    float from_x[3], from_h[3];
    for (int k = 0; k < 3; ++k) {
      from_x[k] = g[k * u] + (bias ? bias[k * u + j] : 0.0f);
      from_h[k] = (recurrent ? recurrent[static_cast<std::int64_t>(row) * 3 * u + k * u + j] : 0.0f) +
                  (bias ? bias[(3 + k) * u + j] : 0.0f);
    }
    const float before = recurrent ? h_before[cell] : 0.0f;
    const nn::GruUnit now = nn::gru_forward(from_x, from_h, before);
    g[0] = now.z, g[u] = now.r, g[2 * u] = now.n;
    recurrent_n[cell] = from_h[2];
    if (!recurrent) h_before[cell] = 0.0f;
    if (at.next_time >= 0) h_before[at.cell(row, at.next_time) + j] = now.h;
    if (y) y[at.output(row) + j] = now.h;
  }
};

/// gates: z, r, n become the gradients of x W + b. d_recurrent [rows, T, 3u]: those of h R + c. dh [rows, u].
struct GruBackwardStep {
  GruPlace at;
  const float *recurrent_n, *h_before;
  const float* dy;  // null where this step's output was not wanted
  float *gates, *d_recurrent, *dh;
  bool first;  // of the way back: dh holds nothing yet
  template <class Index>
  __device__ void operator()(Index i) const {
    const auto [row, unit] = at.units(i);
    const std::int64_t u = at.units.divisor(), j = unit, cell = at.cell(row, at.time) + j;
    float* g = gates + 3 * at.cell(row, at.time) + j;
    float* d = d_recurrent + 3 * at.cell(row, at.time) + j;
    const float sum = (first ? 0.0f : dh[i]) + (dy ? dy[at.output(row) + j] : 0.0f);
    const nn::GruGradient back =
        nn::gru_backward(g[0], g[u], g[2 * u], recurrent_n[cell], h_before[cell], sum);
    g[0] = d[0] = back.z, g[u] = d[u] = back.r;
    g[2 * u] = back.n, d[2 * u] = back.n_recurrent;
    dh[i] = back.h_before;
  }
};

// ---- The host's half

class OwnGru final : public CudaLayer {
 public:
  /// refused: what cuDNN says, where it was asked.
  OwnGru(const nn::GruOptions& options, const CudaBinding& binding, std::string refused)
      : binding_(binding),
        refused_(std::move(refused)),
        options_(options),
        steps_(binding.input[0]),
        in_(binding.input[1]),
        units_(binding.output.back()),
        rows_(binding.capacity) {
    const auto cells = std::size_t(rows_ * steps_ * units_);
    gates_ = DeviceArray<float>(3 * cells);
    recurrent_ = DeviceArray<float>(std::size_t(rows_ * 3 * units_));
    recurrent_n_ = DeviceArray<float>(cells), h_before_ = DeviceArray<float>(cells);
    if (!binding.trained) return;
    d_recurrent_ = DeviceArray<float>(3 * cells);
    dh_ = DeviceArray<float>(std::size_t(rows_ * units_));
    if (options.use_bias)
      work_ = DeviceArray<float>(std::size_t(column_sums_work(rows_ * steps_, 3 * units_)));
  }

  void forward(bool, const float* x, float* y) override {
    auto& t = *binding_.tools;
    const auto gates = 3 * units_;
    t.blas.gemm(Op::none, Op::none, rows_ * steps_, gates, in_, x, in_, binding_.parameters[0], gates, 0,
                gates_.data(), gates);
    for (std::int64_t s = 0; s < steps_; ++s) {
      const auto at = place(s);
      if (s > 0)
        t.blas.gemm(Op::none, Op::none, rows_, gates, units_, h_before_.data() + at.time * units_,
                    steps_ * units_, binding_.parameters[1], gates, 0, recurrent_.data(), gates);
      for_each_element(t.stream, rows_ * units_,
                       GruForwardStep{at, options_.use_bias ? binding_.parameters[2] : nullptr,
                                      s > 0 ? recurrent_.data() : nullptr, gates_.data(), recurrent_n_.data(),
                                      h_before_.data(), wanted(s) ? y : nullptr});
    }
  }

  void backward(const float* x, const float*, float* dy, float* dx) override {
    auto& t = *binding_.tools;
    const auto gates = 3 * units_, all = rows_ * steps_;
    for (std::int64_t s = steps_ - 1; s >= 0; --s) {
      const auto at = place(s);
      for_each_element(t.stream, rows_ * units_,
                       GruBackwardStep{at, recurrent_n_.data(), h_before_.data(), wanted(s) ? dy : nullptr,
                                       gates_.data(), d_recurrent_.data(), dh_.data(), s + 1 == steps_});
      if (s > 0)
        t.blas.gemm(Op::none, Op::transpose, rows_, units_, gates, d_recurrent_.data() + at.time * gates,
                    steps_ * gates, binding_.parameters[1], gates, 1, dh_.data(), units_);
    }
    const auto& g = binding_.gradients;
    t.blas.gemm(Op::transpose, Op::none, in_, gates, all, x, in_, gates_.data(), gates, 0, g[0], gates);
    t.blas.gemm(Op::transpose, Op::none, units_, gates, all, h_before_.data(), units_, d_recurrent_.data(),
                gates, 0, g[1], gates);
    if (options_.use_bias) {
      column_sums(t.stream, gates_.data(), all, gates, work_.data(), g[2]);
      column_sums(t.stream, d_recurrent_.data(), all, gates, work_.data(), g[2] + gates);
    }
    if (binding_.input_gradient)
      t.blas.gemm(Op::none, Op::transpose, all, in_, gates, gates_.data(), gates, binding_.parameters[0],
                  gates, 0, dx, in_);
  }

  std::string note() const override {
    const auto note = rnn_name("gru", binding_) + ": own kernels";
    return refused_.empty() ? note : note + " (" + refused_ + ")";
  }

 private:
  bool wanted(std::int64_t step) const { return options_.return_sequences || step + 1 == steps_; }
  std::int64_t time_of(std::int64_t step) const { return options_.go_backwards ? steps_ - 1 - step : step; }
  GruPlace place(std::int64_t step) const {
    return {Divisor(units_),          steps_, time_of(step), step + 1 < steps_ ? time_of(step + 1) : -1, step,
            options_.return_sequences};
  }

  CudaBinding binding_;
  std::string refused_;
  nn::GruOptions options_;
  std::int64_t steps_, in_, units_, rows_;
  DeviceArray<float> gates_, recurrent_, recurrent_n_, h_before_, d_recurrent_, dh_, work_;
};

struct GruDevice {
  static std::unique_ptr<CudaLayer> make(const nn::GruOptions& options, const CudaBinding& binding) {
    return with_mask(options, binding, &without_mask);
  }

 private:
  static std::unique_ptr<CudaLayer> without_mask(const nn::GruOptions& options, const CudaBinding& binding) {
    if (device::algorithm("TIMBRE_GRU") == "own") return std::make_unique<OwnGru>(options, binding, "");
    try {
      return make_rnn_on_cudnn({options, binding});
    } catch (const RnnRefused& e) {
      if (device::asked_for("TIMBRE_GRU")) throw;
      return std::make_unique<OwnGru>(options, binding, e.what());
    }
  }
};
inline const CudaLayers::Add<GruDevice, nn::GruOptions> gru;

}  // namespace timbre::cuda
