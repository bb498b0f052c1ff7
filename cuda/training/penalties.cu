// The sum of the penalties of the arena as it is.
#include "cuda/training/update.cuh"

namespace timbre::cuda {

/// partial[i]: the penalty of chunk i. One block per chunk; doubles, in a fixed order.
__global__ void __launch_bounds__(update_threads)
    penalties_kernel(const Chunk* __restrict__ chunks, const float* __restrict__ arena,
                     double* __restrict__ partial) {
  TIMBRE_SHARED(double, part, [warp_size]);
  const Chunk s = chunks[blockIdx.x];
  double absolute = 0, square = 0;
  if (s.l1 > 0.0f || s.twice_l2 > 0.0f)
    for (std::int32_t i = static_cast<std::int32_t>(threadIdx.x); i < s.size; i += update_threads) {
      const double p = arena[s.offset + i];
      absolute += fabs(p), square += p * p;
    }
  const double sum = block_sum(s.exact_l1 * absolute + s.exact_l2 * square, part);
  if (threadIdx.x == 0) partial[blockIdx.x] = sum;
}

void chunk_penalties(cudaStream_t stream, const PenaltySum& sum) {
  if (sum.count > 0)
    launch(penalties_kernel, dim3(static_cast<unsigned>(sum.count)), dim3(update_threads), 0, stream,
           sum.chunks, sum.arena, sum.partial);
}

/// One block.
__global__ void __launch_bounds__(update_threads)
    total_penalty_kernel(const double* __restrict__ partial, std::int64_t chunks,
                         double* __restrict__ total) {
  TIMBRE_SHARED(double, part, [warp_size]);
  total_penalty(partial, chunks, part, total);
}

void sum_penalties(cudaStream_t stream, const PenaltySum& sum) {
  chunk_penalties(stream, sum);
  launch(total_penalty_kernel, dim3(1), dim3(update_threads), 0, stream, sum.partial, sum.count, sum.total);
}

}  // namespace timbre::cuda
