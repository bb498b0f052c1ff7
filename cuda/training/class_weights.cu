// Weights of classes in the training loss.
#include "cuda/support/divisor.cuh"
#include "cuda/support/elementwise.cuh"
#include "cuda/training/class_weights.hpp"

namespace timbre::cuda {

namespace {

/// One value of the gradient; that of a row's first class takes the loss along.
struct Weigh {
  LossBatch b;
  Divisor classes;
  const float* weights;
  template <class Index>
  __device__ void operator()(Index i) const {
    const auto [row, c] = classes(i);
    if (static_cast<std::int64_t>(row) >= b.header->live) return;
    const float weight = weights[b.header->labels[b.rows[row]]];
    b.gradient[i] *= weight;
    if (c == 0) b.losses[row] *= weight;
  }
};

}  // namespace

void weigh_classes(cudaStream_t stream, const LossBatch& batch, const float* weights) {
  for_each_element(stream, batch.capacity * batch.classes, Weigh{batch, Divisor(batch.classes), weights});
}

}  // namespace timbre::cuda
