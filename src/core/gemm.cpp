#include "core/gemm.hpp"

#include <omp.h>
#include <oneapi/dnnl/dnnl.h>

#include <algorithm>
#include <stdexcept>

#include "core/parallel.hpp"

namespace timbre {

void gemm(Op op_a, Op op_b, std::int64_t m, std::int64_t n, std::int64_t k, float alpha, const float* a,
          std::int64_t lda, const float* b, std::int64_t ldb, float beta, float* c, std::int64_t ldc) {
  // oneDNN asks OpenMP how many threads it may use; a call that goes parallel sums in another order.
  thread_local const bool serial = (omp_set_num_threads(1), true);
  (void)serial;
  if (m == 0 || n == 0) return;
  const auto status = dnnl_sgemm(op_a == Op::transpose ? 'T' : 'N', op_b == Op::transpose ? 'T' : 'N', m, n,
                                 k, alpha, a, lda, b, ldb, beta, c, ldc);
  if (status != dnnl_success) throw std::logic_error("dnnl_sgemm refused its arguments");
}

void gemm(ThreadPool& pool, Op op_a, Op op_b, std::int64_t m, std::int64_t n, std::int64_t k, float alpha,
          const float* a, std::int64_t lda, const float* b, std::int64_t ldb, float beta, float* c,
          std::int64_t ldc) {
  // Small products are one tile: waking a thread costs more than it saves.
  constexpr std::int64_t tile_m = 256, tile_n = 128, smallest = 1 << 20;
  std::int64_t rows = piece_count(m, tile_m), columns = piece_count(n, tile_n);
  if (m * n * k < smallest) rows = columns = 1;
  pool.parallel_for(rows * columns, [&](std::int64_t tile, int) {
    const auto r = piece_of(m, rows, tile / columns), s = piece_of(n, columns, tile % columns);
    const float* a_tile = op_a == Op::none ? a + r.begin * lda : a + r.begin;
    const float* b_tile = op_b == Op::none ? b + s.begin : b + s.begin * ldb;
    gemm(op_a, op_b, r.size(), s.size(), k, alpha, a_tile, lda, b_tile, ldb, beta,
         c + r.begin * ldc + s.begin, ldc);
  });
}

}  // namespace timbre
