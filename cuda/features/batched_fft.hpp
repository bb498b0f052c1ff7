// Transforms of rows of real numbers by cuFFT, by one plan that is made once. The plan's work area is ours: its memory is
// counted, and nothing is allocated while it runs.
#pragma once

#include <cufft.h>

#include <cstdint>
#include <type_traits>

#include "cuda/support/handles.hpp"
#include "cuda/support/memory.hpp"

namespace timbre::cuda {

struct FftPlanTraits {
  using value_type = cufftHandle;
  static constexpr value_type null = -1;
  static void destroy(value_type plan) noexcept;
};
using FftPlan = Handle<FftPlanTraits>;

template <class Real>
class BatchedFft {
 public:
  /// A value of the spectrum.
  using Pair = std::conditional_t<std::is_same_v<Real, float>, float2, double2>;

  /// `rows` rows of `size` values. Throws Error.
  BatchedFft(std::int64_t size, std::int64_t rows, cudaStream_t stream);
  /// in [rows, size] -> out [rows, size / 2 + 1]: all rows, whatever lies in them.
  void enqueue(Real* in, Pair* out) const;

 private:
  DeviceArray<char> work_;
  FftPlan plan_;
};
extern template class BatchedFft<float>;
extern template class BatchedFft<double>;

}  // namespace timbre::cuda
