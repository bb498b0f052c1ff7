#include "cuda/support/blas.hpp"

#include <cstdio>
#include <string_view>

#include "core/error.hpp"
#include "cuda/support/device_lock.hpp"

namespace timbre::cuda {

void check_blas(cublasStatus_t status, const char* expression, const char* file, int line) {
  if (status == CUBLAS_STATUS_SUCCESS) return;
  const std::string_view path(file);
  fail("cuBLAS: {}: {} ({}:{})", expression, cublasGetStatusString(status),
       path.substr(path.find_last_of('/') + 1), line);
}

void BlasTraits::destroy(value_type h) noexcept {
  const std::lock_guard guard(device_lock());
  if (const auto status = cublasDestroy(h); status != CUBLAS_STATUS_SUCCESS)
    std::fprintf(stderr, "cuBLAS: cublasDestroy: %s\n", cublasGetStatusString(status));
}

Blas::Blas(cudaStream_t stream) : work_(std::size_t(work_bytes)) {
  cublasHandle_t handle = nullptr;
  {
    const std::lock_guard guard(device_lock());
    TIMBRE_BLAS_CHECK(cublasCreate(&handle));
  }
  handle_ = Handle<BlasTraits>(handle);
  TIMBRE_BLAS_CHECK(cublasSetStream(handle, stream));
  TIMBRE_BLAS_CHECK(cublasSetWorkspace(handle, work_.data(), work_.size()));
  TIMBRE_BLAS_CHECK(cublasSetMathMode(handle, CUBLAS_DEFAULT_MATH));
  TIMBRE_BLAS_CHECK(cublasSetAtomicsMode(handle, CUBLAS_ATOMICS_NOT_ALLOWED));
}

void Blas::gemm(Op op_a, Op op_b, std::int64_t m, std::int64_t n, std::int64_t k, const float* a,
                std::int64_t lda, const float* b, std::int64_t ldb, float beta, float* c, std::int64_t ldc) {
  // cuBLAS is column-major, in which a row-major array is its transpose: C^T = op(B)^T op(A)^T.
  const auto op = [](Op o) { return o == Op::transpose ? CUBLAS_OP_T : CUBLAS_OP_N; };
  const float one = 1;
  TIMBRE_BLAS_CHECK(
      cublasSgemm_64(handle_, op(op_b), op(op_a), n, m, k, &one, b, ldb, a, lda, &beta, c, ldc));
}

}  // namespace timbre::cuda
