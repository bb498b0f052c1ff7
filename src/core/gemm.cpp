#include "core/gemm.hpp"

#include <algorithm>

#include "core/gemm_kernels.hpp"

#define TIMBRE_KERNELS "core/gemm_kernels.inc"
#include "core/each_target.inc"

namespace timbre {

const GemmKernels& gemm_kernels_for(Isa isa) { return TIMBRE_FOR(isa, gemm_kernels); }

namespace {

const GemmKernels& kernels() {
  static const GemmKernels& best = gemm_kernels_for(isa());
  return best;
}

void multiply(const Product& p) {
  if (p.m <= 0 || p.n <= 0) return;
  if (p.k <= 0) {
    if (p.store == Store::set)
      for (std::int64_t r = 0; r < p.m; ++r) std::fill_n(p.c + r * p.ldc, p.n, 0.0f);
    return;
  }
  thread_local AlignedFloats work(std::size_t{gemm_work});
  kernels().multiply(p, work.data());
}

}  // namespace

PackedLayout packed_layout() { return kernels().layout; }

void PackedMatrix::pack(Op op, std::int64_t k, std::int64_t n, const float* b, std::int64_t ldb) {
  const auto size = std::size_t(kernels().layout.size(k, n));
  if (data_.size() < size) data_.resize(size);
  k_ = k, n_ = n;
  kernels().pack(op, k, n, b, ldb, data_.data());
}

void gemm(Op op_a, Op op_b, std::int64_t m, std::int64_t n, std::int64_t k, const float* a, std::int64_t lda,
          const float* b, std::int64_t ldb, Store store, float* c, std::int64_t ldc) {
  multiply({op_a, op_b, m, n, k, a, lda, b, ldb, false, store, c, ldc});
}

void gemm(Op op_a, std::int64_t m, const float* a, std::int64_t lda, PackedView b, Store store, float* c,
          std::int64_t ldc) {
  multiply({op_a, Op::none, m, b.n, b.k, a, lda, b.data, 0, true, store, c, ldc});
}

void gemm(ThreadPool& pool, Op op_a, Op op_b, std::int64_t m, std::int64_t n, std::int64_t k, const float* a,
          std::int64_t lda, const float* b, std::int64_t ldb, Store store, float* c, std::int64_t ldc,
          const std::function<void(Tile)>& finish) {
  // Small products are one tile: waking a thread costs more than it saves.
  constexpr std::int64_t tile_m = gemm_rows, tile_n = 128, smallest = 1 << 20;
  auto rows = piece_count(m, tile_m), columns = piece_count(n, tile_n);
  if (m * n * k < smallest) rows = columns = 1;
  pool.parallel_for(rows * columns, [&](std::int64_t tile, int) {
    const auto r = piece_of(m, rows, tile / columns), s = piece_of(n, columns, tile % columns);
    gemm(op_a, op_b, r.size(), s.size(), k, op_a == Op::none ? a + r.begin * lda : a + r.begin, lda,
         op_b == Op::none ? b + s.begin : b + s.begin * ldb, ldb, store, c + r.begin * ldc + s.begin, ldc);
    if (finish) finish({r, s});
  });
}

}  // namespace timbre
