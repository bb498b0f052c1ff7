#include "cublas_v2.h"
#include "host/device.hpp"

struct cublasContext {
  int device = simt::current_device();
  cudaStream_t stream = nullptr;
};

const char* cublasGetStatusString(cublasStatus_t s) {
  return s == CUBLAS_STATUS_SUCCESS ? "success" : "an error";
}
cublasStatus_t cublasCreate(cublasHandle_t* handle) {
  if (simt::call_fails()) return CUBLAS_STATUS_EXECUTION_FAILED;
  simt::synchronise_device();
  *handle = new cublasContext;
  ++simt::device().live;
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasDestroy(cublasHandle_t handle) {
  simt::synchronise_device();
  delete handle;
  --simt::device().live;
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasSetStream(cublasHandle_t handle, cudaStream_t stream) {
  if (simt::call_fails()) return CUBLAS_STATUS_EXECUTION_FAILED;
  simt::use_of(handle->device);
  handle->stream = stream;
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasSetWorkspace(cublasHandle_t, void*, std::size_t) {
  return simt::call_fails() ? CUBLAS_STATUS_EXECUTION_FAILED : CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasSetMathMode(cublasHandle_t, cublasMath_t) {
  return simt::call_fails() ? CUBLAS_STATUS_EXECUTION_FAILED : CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasSetAtomicsMode(cublasHandle_t, cublasAtomicsMode_t) {
  return simt::call_fails() ? CUBLAS_STATUS_EXECUTION_FAILED : CUBLAS_STATUS_SUCCESS;
}

// Column-major: C[i + j ldc] = alpha sum_l op(A)[i, l] op(B)[l, j] + beta C
cublasStatus_t cublasSgemm_64(cublasHandle_t handle, cublasOperation_t op_a, cublasOperation_t op_b,
                              std::int64_t m, std::int64_t n, std::int64_t k, const float* alpha,
                              const float* a, std::int64_t lda, const float* b, std::int64_t ldb,
                              const float* beta, float* c, std::int64_t ldc) {
  if (simt::call_fails()) return CUBLAS_STATUS_EXECUTION_FAILED;
  const bool ta = op_a == CUBLAS_OP_T, tb = op_b == CUBLAS_OP_T;
  if (m < 0 || n < 0 || k < 0 || lda < (ta ? k : m) || ldb < (tb ? n : k) || ldc < m)
    return CUBLAS_STATUS_INVALID_VALUE;
  simt::enqueue_work(handle->stream, [=, alpha = double(*alpha), beta = double(*beta)] {
    for (std::int64_t j = 0; j < n; ++j)
      for (std::int64_t i = 0; i < m; ++i) {
        double sum = 0;
        for (std::int64_t l = 0; l < k; ++l)
          sum += double(a[ta ? l + i * lda : i + l * lda]) * double(b[tb ? j + l * ldb : l + j * ldb]);
        float& to = c[i + j * ldc];
        to = float(alpha * sum + (beta == 0 ? 0 : beta * double(to)));
      }
  });
  return CUBLAS_STATUS_SUCCESS;
}
