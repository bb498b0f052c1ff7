#include "cuda/features/batched_fft.hpp"

#include <cstdio>

#include "cuda/support/check.hpp"
#include "cuda/support/device_lock.hpp"

namespace timbre::cuda {

void FftPlanTraits::destroy(value_type plan) noexcept {
  const std::lock_guard guard(device_lock());
  if (const auto result = cufftDestroy(plan))
    std::fprintf(stderr, "cuFFT: cufftDestroy: result %d\n", static_cast<int>(result));
}

template <class Real>
BatchedFft<Real>::BatchedFft(std::int64_t size, std::int64_t rows, cudaStream_t stream) {
  const std::lock_guard guard(device_lock());
  cufftHandle plan = FftPlanTraits::null;
  TIMBRE_FFT_CHECK(cufftCreate(&plan));
  plan_ = FftPlan(plan);
  TIMBRE_FFT_CHECK(cufftSetAutoAllocation(plan, 0));
  // Embedded sizes must be given for the distances to count; they equal the sizes of one transform.
  const long long bins = size / 2 + 1;
  long long in_size = size, out_size = bins, of_plan = size;
  std::size_t work_bytes = 0;
  TIMBRE_FFT_CHECK(cufftMakePlanMany64(plan, 1, &of_plan, &in_size, 1, size, &out_size, 1, bins,
                                       std::is_same_v<Real, float> ? CUFFT_R2C : CUFFT_D2Z, rows,
                                       &work_bytes));
  work_ = DeviceArray<char>(work_bytes);
  if (work_bytes > 0) TIMBRE_FFT_CHECK(cufftSetWorkArea(plan, work_.data()));
  TIMBRE_FFT_CHECK(cufftSetStream(plan, stream));
}

template <class Real>
void BatchedFft<Real>::enqueue(Real* in, Pair* out) const {
  if constexpr (std::is_same_v<Real, float>)
    TIMBRE_FFT_CHECK(cufftExecR2C(plan_, in, out));
  else
    TIMBRE_FFT_CHECK(cufftExecD2Z(plan_, in, out));
}

template class BatchedFft<float>;
template class BatchedFft<double>;

}  // namespace timbre::cuda
