// One row of logits, one warp: what the losses share.
#pragma once

#include "cuda/support/warp.cuh"
#include "cuda/training/cuda_parts.hpp"

namespace timbre::cuda {

inline constexpr int loss_rows_per_block = 4;
inline dim3 loss_grid(const LossBatch& b) {
  return dim3(static_cast<unsigned>((b.capacity + loss_rows_per_block - 1) / loss_rows_per_block));
}
inline dim3 loss_block() { return dim3(warp_size, loss_rows_per_block); }

/// Whether the row belongs to the batch; else its warp writes zeros.
__device__ inline bool row_is_live(const LossBatch& b, std::int64_t row) {
  if (row < b.header->live) return true;
  const int lane = static_cast<int>(threadIdx.x);
  if (lane == 0) b.losses[row] = 0.0f, b.hits[row] = 0;
  for (std::int64_t c = lane; c < b.classes; c += warp_size) {
    if (b.gradient) b.gradient[row * b.classes + c] = 0.0f;
    if (b.probabilities) b.probabilities[row * b.classes + c] = 0.0f;
  }
  return false;
}

class SoftmaxRow {
 public:
  __device__ SoftmaxRow(const float* z, std::int32_t classes) : z_(z), best_(classes) {
    const int lane = static_cast<int>(threadIdx.x);
    for (int c = lane; c < classes; c += warp_size)
      if (z[c] > top_ || best_ == classes) top_ = z[c], best_ = c;
    for (int distance = warp_size / 2; distance > 0; distance /= 2) {
      const float other = __shfl_xor_sync(whole_warp, top_, distance);
      const std::int32_t its = __shfl_xor_sync(whole_warp, best_, distance);
      if (other > top_ || (other == top_ && its < best_) || best_ == classes) top_ = other, best_ = its;
    }
    float sum = 0;
    for (int c = lane; c < classes; c += warp_size) sum += expf(z[c] - top_);
    log_sum_ = logf(warp_sum(sum));
  }
  __device__ float log_probability(int c) const { return z_[c] - top_ - log_sum_; }
  /// The first of the largest logits.
  __device__ std::int32_t best() const { return best_; }

 private:
  const float* z_;
  float top_ = -INFINITY, log_sum_ = 0;
  std::int32_t best_;
};

}  // namespace timbre::cuda
