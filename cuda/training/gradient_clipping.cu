// Gradient clipping: sums of squares of chunks, the factors of parameters, and the gradients times these. Doubles, in a fixed
// order.
#include <vector>

#include "cuda/support/warp.cuh"
#include "cuda/training/gradient_clipping.hpp"
#include "training/optimizer_rules.hpp"

namespace timbre::cuda {

inline constexpr int clipping_threads = 256;

/// One block per chunk: the gradients with their penalties, each element within `bound`; squares[chunk]: their sum of squares
/// before that.
__global__ void __launch_bounds__(clipping_threads) penalise_kernel(ClippedArena a, float bound) {
  TIMBRE_SHARED(double, part, [warp_size]);
  const Chunk s = a.chunks[blockIdx.x];
  double square = 0;
  for (std::int32_t k = static_cast<std::int32_t>(threadIdx.x); k < s.size; k += clipping_threads) {
    const std::int64_t i = s.offset + k;
    const float g = training::penalised(a.gradients[i], a.arena[i], s.l1, s.twice_l2);
    square += static_cast<double>(g) * static_cast<double>(g);
    a.gradients[i] = training::clipped(g, bound);
  }
  square = block_sum(square, part);
  if (threadIdx.x == 0) a.squares[blockIdx.x] = square;
}

/// One block: the norm of all gradients enters the metrics; the factor of each chunk, where there are any: a warp per parameter
/// adds the squares of its chunks.
__global__ void __launch_bounds__(clipping_threads)
    factors_kernel(ClippedArena a, training::GradientClipping clipping, StepScalars* scalars) {
  TIMBRE_SHARED(double, part, [warp_size]);
  double all = 0;
  for (std::int64_t i = threadIdx.x; i < a.count; i += clipping_threads) all += a.squares[i];
  all = block_sum(all, part);
  if (threadIdx.x == 0) scalars->gradient_norm_sum += sqrt(all);
  if (!clipping.scales()) return;
  const std::int32_t lane = static_cast<std::int32_t>(threadIdx.x % warp_size);
  for (std::int64_t p = threadIdx.x / warp_size; p < a.parameter_count; p += clipping_threads / warp_size) {
    const ChunksOfParameter own = a.parameters[p];
    double square = 0;
    for (std::int32_t i = lane; i < own.count; i += warp_size) square += a.squares[own.first + i];
    square = warp_sum(square);
    const float factor = clipping.factor(clipping.by == training::GradientClipping::By::norm ? square : all);
    for (std::int32_t i = lane; i < own.count; i += warp_size) a.factors[own.first + i] = factor;
  }
}

/// One block per chunk.
__global__ void __launch_bounds__(clipping_threads) scale_kernel(ClippedArena a) {
  const Chunk s = a.chunks[blockIdx.x];
  const float factor = a.factors[blockIdx.x];
  for (std::int32_t k = static_cast<std::int32_t>(threadIdx.x); k < s.size; k += clipping_threads)
    a.gradients[s.offset + k] *= factor;
}

// ---- The host's half

ClippingDevice::ClippingDevice(const training::GradientClippingOptions& options,
                               std::span<const Chunk> chunks, std::span<const ChunksOfParameter> parameters,
                               cudaStream_t stream)
    : clipping_(training::GradientClipping::of(options)),
      chunks_(upload(chunks, stream)),
      parameters_(upload(parameters, stream)),
      squares_(chunks.size()),
      factors_(chunks.size()) {
  std::vector<Chunk> clipped(chunks.begin(), chunks.end());
  for (auto& chunk : clipped) chunk.l1 = chunk.twice_l2 = 0;
  clipped_chunks_ = upload(std::span<const Chunk>(clipped), stream);
}

void ClippingDevice::clip(cudaStream_t stream, const float* arena, float* gradients,
                          StepScalars* scalars) const {
  const ClippedArena a{chunks_.data(),
                       std::int64_t(chunks_.size()),
                       parameters_.data(),
                       std::int64_t(parameters_.size()),
                       arena,
                       gradients,
                       squares_.data(),
                       factors_.data()};
  const dim3 chunks(static_cast<unsigned>(a.count)), threads(clipping_threads);
  const bool by_value = clipping_.by == training::GradientClipping::By::value;
  launch(penalise_kernel, chunks, threads, 0, stream, a,
         by_value ? static_cast<float>(clipping_.bound) : INFINITY);
  launch(factors_kernel, dim3(1), threads, 0, stream, a, clipping_, scalars);
  if (clipping_.scales()) launch(scale_kernel, chunks, threads, 0, stream, a);
}

}  // namespace timbre::cuda
