// Matrix products on the device: cuBLAS behind core/gemm's convention. C = op(A) op(B) + beta C, row-major
// float32.
//
// A handle has its own work space, so that calls can be captured into a graph; TF32 is off (cuBLAS's
// default), and so are atomics: the same call gives the same bytes.
#pragma once

#include <cublas_v2.h>

#include <cstdint>

#include "core/gemm.hpp"
#include "cuda/support/handles.hpp"
#include "cuda/support/memory.hpp"

namespace timbre::cuda {

/// Throws Error where status is not CUBLAS_STATUS_SUCCESS.
void check_blas(cublasStatus_t status, const char* expression, const char* file, int line);
#define TIMBRE_BLAS_CHECK(...) ::timbre::cuda::check_blas((__VA_ARGS__), #__VA_ARGS__, __FILE__, __LINE__)

struct BlasTraits {
  using value_type = cublasHandle_t;
  static constexpr value_type null = nullptr;
  static void destroy(value_type h) noexcept;
};

class Blas {
 public:
  static constexpr std::int64_t work_bytes = std::int64_t{32} << 20;  // what NVIDIA recommends for Hopper
  /// Everything goes to this stream.
  explicit Blas(cudaStream_t stream);
  /// lda, ldb, ldc: row strides of the arrays as stored.
  void gemm(Op op_a, Op op_b, std::int64_t m, std::int64_t n, std::int64_t k, const float* a,
            std::int64_t lda, const float* b, std::int64_t ldb, float beta, float* c, std::int64_t ldc);

 private:
  DeviceArray<char> work_;
  Handle<BlasTraits> handle_;
};

}  // namespace timbre::cuda
