// Softmax and cross-entropy in one pass (training/losses/cross_entropy.hpp has the formula), one warp per
// row: the loss of each row, whether its largest logit is the label's (the first of equals counts), the
// gradient of the mean, and the probabilities. Rows that are not live give zeros.
#include "cuda/support/warp.cuh"
#include "cuda/training/cuda_parts.hpp"
#include "training/losses/cross_entropy.hpp"

namespace timbre::cuda {

inline constexpr int loss_rows_per_block = 4;

/// losses [capacity], hits [capacity]; gradient and probabilities [capacity, classes] may be null.
__global__ void __launch_bounds__(warp_size* loss_rows_per_block)
    cross_entropy_kernel(const float* __restrict__ logits, const BatchHeader* __restrict__ batch,
                         const std::int32_t* __restrict__ rows, std::int64_t capacity, std::int32_t classes,
                         training::SmoothedTarget targets, float* __restrict__ losses,
                         std::int32_t* __restrict__ hits, float* __restrict__ gradient,
                         float* __restrict__ probabilities) {
  const std::int64_t row = static_cast<std::int64_t>(blockIdx.x) * loss_rows_per_block + threadIdx.y;
  if (row >= capacity) return;  // a whole warp
  const int lane = static_cast<int>(threadIdx.x);
  const std::int64_t at = row * classes;
  if (row >= batch->live) {
    if (lane == 0) losses[row] = 0.0f, hits[row] = 0;
    for (int c = lane; c < classes; c += warp_size) {
      if (gradient) gradient[at + c] = 0.0f;
      if (probabilities) probabilities[at + c] = 0.0f;
    }
    return;
  }
  const std::int32_t label = batch->labels[rows[row]];
  const float* z = logits + at;
  float top = -INFINITY;
  std::int32_t best = classes;
  for (int c = lane; c < classes; c += warp_size)
    if (z[c] > top || best == classes) top = z[c], best = c;
  for (int distance = warp_size / 2; distance > 0; distance /= 2) {
    const float other = __shfl_xor_sync(whole_warp, top, distance);
    const std::int32_t its = __shfl_xor_sync(whole_warp, best, distance);
    if (other > top || (other == top && its < best) || best == classes) top = other, best = its;
  }
  float sum = 0;
  for (int c = lane; c < classes; c += warp_size) sum += expf(z[c] - top);
  const float log_sum = logf(warp_sum(sum)), scale = 1.0f / static_cast<float>(batch->live);
  float loss = 0;
  for (int c = lane; c < classes; c += warp_size) {
    const float log_p = z[c] - top - log_sum, p = expf(log_p), target = targets(c == label);
    loss += training::cross_entropy_term(target, log_p);
    if (probabilities) probabilities[at + c] = p;
    if (gradient) gradient[at + c] = (p - target) * scale;
  }
  loss = warp_sum(loss);
  if (lane == 0) losses[row] = loss, hits[row] = best == label;
}

// ---- The host's half

class CrossEntropyDevice final : public CudaLoss {
 public:
  explicit CrossEntropyDevice(const training::CrossEntropyOptions& options)
      : label_smoothing_(options.label_smoothing) {}
  void evaluate(cudaStream_t stream, const LossBatch& b) const override {
    launch(cross_entropy_kernel,
           dim3(static_cast<unsigned>((b.capacity + loss_rows_per_block - 1) / loss_rows_per_block)),
           dim3(warp_size, loss_rows_per_block), 0, stream, b.logits, b.header, b.rows, b.capacity, b.classes,
           training::SmoothedTarget::of(label_smoothing_, b.classes), b.losses, b.hits, b.gradient,
           b.probabilities);
  }

 private:
  double label_smoothing_;
};

inline const CudaLosses::Add<CrossEntropyDevice, training::CrossEntropyOptions> cross_entropy;

}  // namespace timbre::cuda
