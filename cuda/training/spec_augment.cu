// SpecAugment: a thread per row and stripe would write many values; here a thread looks at one value, and whether a stripe of its
// row hides it. (Rows that are not live are zeros already.)
#include "cuda/support/divisor.cuh"
#include "cuda/support/elementwise.cuh"
#include "cuda/training/spec_augment.hpp"

namespace timbre::cuda {

namespace {

struct HideStripes {
  training::SpecAugment augment;
  Divisor row_size, coefficients;
  const std::int64_t* step;
  float* x;
  template <class Index>
  __device__ void operator()(Index i) const {
    const auto [row, at] = row_size(i);
    const auto [t, f] = coefficients(at);
    for (std::int32_t m = 0; m < augment.masks(); ++m) {
      const training::Stripe s =
          augment.stripe(static_cast<std::int64_t>(row), m, static_cast<std::uint32_t>(*step));
      const std::int32_t place = static_cast<std::int32_t>(m < augment.time_masks ? t : f);
      if (place >= s.first && place < s.end) {
        x[i] = 0.0f;
        return;
      }
    }
  }
};

}  // namespace

void hide_stripes(cudaStream_t stream, const training::SpecAugment& augment, const std::int64_t* step,
                  std::int64_t capacity, float* x) {
  const auto size = static_cast<std::int64_t>(augment.steps) * augment.coefficients;
  for_each_element(stream, capacity * size,
                   HideStripes{augment, Divisor(size), Divisor(augment.coefficients), step, x});
}

}  // namespace timbre::cuda
