// lstm by the own recurrence (lstm_recurrence.cuh): what does not depend on the step before is matrix
// products over all rows and steps at once, in Keras's layout as the arena has it:
//
//   forward   z = x W [rows * T, 4u]; the recurrence
//   backward  the recurrence; dW = x^T dz    dR = h'^T dz    db = sum dz    dx = dz W^T
#include <limits>

#include "cuda/layers/activation.hpp"
#include "cuda/layers/lstm.hpp"
#include "cuda/layers/lstm_recurrence.cuh"
#include "cuda/layers/rnn_cudnn.hpp"
#include "device/algorithms.hpp"

namespace timbre::cuda {
namespace {

/// Up to this many rows a block has one: as long as all blocks run at once (a Hopper has 132
/// multiprocessors), fewer rows a block are quicker; beyond, two rows share what a weight in shared memory
/// costs.
bool one_row_a_block(std::int32_t rows) { return rows <= device::tuned_number("TIMBRE_LSTM_SINGLE_ROWS"); }

template <class Weights, int rows, class Run>
void enqueue(cudaStream_t stream, void (*kernel)(Run), const Run& run) {
  launch(kernel, dim3(static_cast<unsigned>((run.size.rows + rows - 1) / rows)), dim3(recurrence_threads),
         Weights::shared_bytes, stream, run);
}
template <int padded, int rows, int kept>
void enqueue(cudaStream_t stream, const LstmForwardRun& run) {
  enqueue<typename ForwardTiling<padded, kept>::Weights, rows>(stream,
                                                               lstm_forward_kernel<padded, rows, kept>, run);
}
template <int padded, int rows, int kept>
void enqueue(cudaStream_t stream, const LstmBackwardRun& run) {
  enqueue<typename BackwardTiling<padded, kept>::Weights, rows>(
      stream, lstm_backward_kernel<padded, rows, kept>, run);
}

/// Of the vectors of weights as many are kept in registers as let nvcc spill 16 bytes at most (13.0, sm_80
/// and sm_90: -Xptxas -v).
template <class Run>
void enqueue_for_size(cudaStream_t stream, const Run& run) {
  if (run.size.units <= 64)
    enqueue<64, 1, 4>(stream, run);
  else if (one_row_a_block(run.size.rows))
    enqueue<128, 1, 12>(stream, run);
  else
    enqueue<128, 2, 11>(stream, run);
}

}  // namespace

void lstm_forward(cudaStream_t stream, const LstmForwardRun& run) { enqueue_for_size(stream, run); }
void lstm_backward(cudaStream_t stream, const LstmBackwardRun& run) { enqueue_for_size(stream, run); }

// ---- The host's half

namespace {

class LstmOnChip final : public CudaLayer {
 public:
  LstmOnChip(const nn::LstmOptions& options, const CudaBinding& binding)
      : binding_(binding),
        cells_(binding.capacity * binding.input[0]),
        inputs_(binding.input[1]),
        units_(binding.output.back()),
        z_(std::size_t(cells_ * 4 * units_)),
        cell_(std::size_t(cells_ * units_)),
        before_(cell_.size()) {
    size_ = {std::int32_t(binding.capacity), std::int32_t(binding.input[0]), std::int32_t(units_),
             options.go_backwards, options.return_sequences};
    use_bias_ = options.use_bias;
    if (use_bias_) work_ = DeviceArray<float>(std::size_t(column_sums_work(cells_, 4 * units_)));
  }

  void forward(bool training, const float* x, float* y) override {
    auto& t = *binding_.tools;
    const auto& p = binding_.parameters;
    t.blas.gemm(Op::none, Op::none, cells_, 4 * units_, inputs_, x, inputs_, p[0], 4 * units_, 0, z_.data(),
                4 * units_);
    lstm_forward(t.stream, {size_, p[1], use_bias_ ? p[2] : nullptr, z_.data(),
                            training ? cell_.data() : nullptr, before_.data(), y});
  }

  void backward(const float* x, const float*, float* dy, float* dx) override {
    auto& t = *binding_.tools;
    const auto& g = binding_.gradients;
    lstm_backward(t.stream, {size_, binding_.parameters[1], z_.data(), cell_.data(), dy});
    const float* dz = z_.data();
    t.blas.gemm(Op::transpose, Op::none, inputs_, 4 * units_, cells_, x, inputs_, dz, 4 * units_, 0, g[0],
                4 * units_);
    t.blas.gemm(Op::transpose, Op::none, units_, 4 * units_, cells_, before_.data(), units_, dz, 4 * units_,
                0, g[1], 4 * units_);
    if (use_bias_) column_sums(t.stream, dz, cells_, 4 * units_, work_.data(), g[2]);
    if (binding_.input_gradient)
      t.blas.gemm(Op::none, Op::transpose, cells_, inputs_, 4 * units_, dz, 4 * units_,
                  binding_.parameters[0], 4 * units_, 0, dx, inputs_);
  }

  std::string note() const override {
    return rnn_name("lstm", binding_) + ": own kernel, weights on the chip";
  }

 private:
  CudaBinding binding_;
  std::int64_t cells_, inputs_, units_;  // cells: rows * T
  LstmRunSize size_{};
  bool use_bias_ = true;
  DeviceArray<float> z_, cell_, before_, work_;
};

}  // namespace

std::string why_not_on_chip(const CudaBinding& b) {
  if (b.output.back() > largest_recurrence)
    return "for " + std::to_string(largest_recurrence) + " units at most";
  if (b.capacity * b.input[0] * 4 * b.output.back() > std::numeric_limits<std::int32_t>::max())
    return "too many gates in a batch for 32-bit places";
  return "";
}

std::unique_ptr<CudaLayer> make_lstm_on_chip(const nn::LstmOptions& options, const CudaBinding& binding) {
  return std::make_unique<LstmOnChip>(options, binding);
}

}  // namespace timbre::cuda
