#include "training/cross_entropy.cuh"
#include "training/gather.cuh"
#include "training/kernels.hpp"
#include "training/update.cuh"

namespace timbre::cuda {

void gather_rows(cudaStream_t stream, const BatchHeader* batch, const std::int32_t* rows,
                 std::int64_t capacity, std::int64_t width, float* out) {
  for_each_element(stream, capacity * width, GatherRows{batch, rows, width, out});
}

void cross_entropy(cudaStream_t stream, const float* logits, const BatchHeader* batch,
                   const std::int32_t* rows, std::int64_t capacity, std::int64_t classes,
                   training::SmoothedTarget targets, float* losses, std::int32_t* hits, float* gradient,
                   float* probabilities) {
  launch(cross_entropy_kernel,
         dim3(static_cast<unsigned>((capacity + loss_rows_per_block - 1) / loss_rows_per_block)),
         dim3(warp_size, loss_rows_per_block), 0, stream, logits, batch, rows, capacity, classes, targets,
         losses, hits, gradient, probabilities);
}

namespace {

void penalties(cudaStream_t stream, const Stretch* stretches, std::int64_t count, const float* arena,
               double* partial) {
  if (count > 0)
    launch(penalties_kernel, dim3(static_cast<unsigned>(count)), dim3(update_threads), 0, stream, stretches,
           arena, partial);
}

template <class Rule>
void update(cudaStream_t stream, const ArenaUpdate& u, Rule rule) {
  launch(update_kernel<Rule>, dim3(static_cast<unsigned>(u.count)), dim3(update_threads), 0, stream,
         u.stretches, rule, u.scalars, u.arena, u.gradients, u.slots[0], u.slots[1]);
}

}  // namespace

void sum_penalties(cudaStream_t stream, const Stretch* stretches, std::int64_t count, const float* arena,
                   double* partial, double* total) {
  penalties(stream, stretches, count, arena, partial);
  launch(finish_loss_kernel, dim3(1), dim3(update_threads), 0, stream, partial, count, nullptr, nullptr,
         nullptr, StepRate{}, nullptr, total);
}

void finish_loss(cudaStream_t stream, const Stretch* stretches, std::int64_t count, const float* arena,
                 const float* losses, const std::int32_t* hits, const BatchHeader* batch, StepRate rate,
                 StepScalars* scalars, double* partial, double* total) {
  penalties(stream, stretches, count, arena, partial);
  launch(finish_loss_kernel, dim3(1), dim3(update_threads), 0, stream, partial, count, losses, hits, batch,
         rate, scalars, total);
}

void update_arena(cudaStream_t stream, const ArenaUpdate& u, training::AdamRule rule) {
  update(stream, u, rule);
}
void update_arena(cudaStream_t stream, const ArenaUpdate& u, training::SgdRule rule) {
  update(stream, u, rule);
}
void update_arena(cudaStream_t stream, const ArenaUpdate& u, training::MomentumRule rule) {
  update(stream, u, rule);
}
void update_arena(cudaStream_t stream, const ArenaUpdate& u, training::RmspropRule rule) {
  update(stream, u, rule);
}
void update_arena(cudaStream_t stream, const ArenaUpdate& u, training::RmspropMomentumRule rule) {
  update(stream, u, rule);
}

}  // namespace timbre::cuda
