// Focal loss (training/losses/focal_cross_entropy.hpp has the formula), one warp per row: the loss of each row, whether its
// largest logit is the label's (the first of equals counts), the gradient of the mean, and the probabilities. Rows that are not
// live give zeros.
#include "cuda/training/losses/softmax_row.cuh"
#include "training/losses/focal_cross_entropy.hpp"

namespace timbre::cuda {

/// losses [capacity], hits [capacity]; gradient and probabilities [capacity, classes] may be null.
__global__ void __launch_bounds__(warp_size* loss_rows_per_block)
    focal_kernel(LossBatch b, training::FocalRule rule) {
  const std::int64_t row = static_cast<std::int64_t>(blockIdx.x) * loss_rows_per_block + threadIdx.y;
  if (row >= b.capacity || !row_is_live(b, row)) return;  // a whole warp
  const std::int32_t label = b.header->labels[b.rows[row]], classes = static_cast<std::int32_t>(b.classes);
  const std::int64_t at = row * classes;
  const SoftmaxRow softmax(b.logits + at, classes);
  float loss = 0, slopes = 0;
  for (int c = static_cast<int>(threadIdx.x); c < classes; c += warp_size) {
    const training::FocalTerm term = rule(c == label, softmax.log_probability(c));
    loss += term.loss, slopes += term.slope;
  }
  loss = warp_sum(loss), slopes = warp_sum(slopes);
  const float scale = 1.0f / static_cast<float>(b.header->live);
  for (int c = static_cast<int>(threadIdx.x); c < classes; c += warp_size) {
    const float log_p = softmax.log_probability(c), p = expf(log_p);
    if (b.probabilities) b.probabilities[at + c] = p;
    if (b.gradient) b.gradient[at + c] = (rule(c == label, log_p).slope - p * slopes) * scale;
  }
  if (threadIdx.x == 0) b.losses[row] = loss, b.hits[row] = softmax.best() == label;
}

// ---- The host's half

class FocalCrossEntropyDevice final : public CudaLoss {
 public:
  explicit FocalCrossEntropyDevice(const training::FocalCrossEntropyOptions& options) : options_(options) {}
  void evaluate(cudaStream_t stream, const LossBatch& b) const override {
    launch(focal_kernel, loss_grid(b), loss_block(), 0, stream, b,
           training::FocalRule::of(options_, b.classes));
  }

 private:
  training::FocalCrossEntropyOptions options_;
};

inline const CudaLosses::Add<FocalCrossEntropyDevice, training::FocalCrossEntropyOptions> focal_cross_entropy;

}  // namespace timbre::cuda
