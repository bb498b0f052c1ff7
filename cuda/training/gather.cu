// The rows of a batch, gathered by index from the data, and mixed with others where there is mixup; rows that are not live become
// zeros.
#include "cuda/support/elementwise.cuh"
#include "cuda/training/gather.hpp"
#include "training/mixup.hpp"

namespace timbre::cuda {

/// One value of out [capacity, width].
struct GatherRows {
  const BatchHeader* batch;
  BatchRows rows;
  std::int64_t width;
  float* out;
  template <class Index>
  __device__ void operator()(Index i) const {
    const auto w = static_cast<Index>(width), row = i / w;
    if (row >= static_cast<Index>(batch->live)) {
      out[i] = 0.0f;
      return;
    }
    const float* x = batch->features + i % w;
    float value = x[rows.rows[row] * width];
    if (rows.others) value = training::mixed(value, x[rows.others[row] * width], rows.shares[row]);
    out[i] = value;
  }
};

void gather_rows(cudaStream_t stream, const BatchHeader* batch, const BatchRows& rows, std::int64_t capacity,
                 std::int64_t width, float* out) {
  for_each_element(stream, capacity * width, GatherRows{batch, rows, width, out});
}

}  // namespace timbre::cuda
