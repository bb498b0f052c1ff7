// The rows of a batch, gathered by index from the data; rows that are not live become zeros.
#include "cuda/support/elementwise.cuh"
#include "cuda/training/gather.hpp"

namespace timbre::cuda {

/// One value of out [capacity, width].
struct GatherRows {
  const BatchHeader* batch;
  const std::int32_t* rows;
  std::int64_t width;
  float* out;
  template <class Index>
  __device__ void operator()(Index i) const {
    const auto w = static_cast<Index>(width), row = i / w;
    out[i] = row < static_cast<Index>(batch->live)
                 ? batch->features[static_cast<std::int64_t>(rows[row]) * width + i % w]
                 : 0.0f;
  }
};

void gather_rows(cudaStream_t stream, const BatchHeader* batch, const std::int32_t* rows,
                 std::int64_t capacity, std::int64_t width, float* out) {
  for_each_element(stream, capacity * width, GatherRows{batch, rows, width, out});
}

}  // namespace timbre::cuda
