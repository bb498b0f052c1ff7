// The one door to matrix multiplication.
//
// C = alpha * op(A) * op(B) + beta * C, row-major float32; op(A) is [m, k], op(B) is [k, n], C is [m, n].
// lda, ldb, ldc are the row strides of the arrays as stored (A is [k, m] when transposed).
//
// No signal handler may run on a thread that is in here: oneDNN 2.6.3 keeps numbers below the stack pointer (see
// experiment/command_line.cpp, and ThreadPool, whose threads take no signals).
#pragma once

#include <cstdint>

namespace timbre {

class ThreadPool;

enum class Op { none, transpose };

/// Serial: the calling thread does all the work; the same arguments give the same bytes.
/// Throws std::logic_error if the library refuses the arguments.
void gemm(Op op_a, Op op_b, std::int64_t m, std::int64_t n, std::int64_t k, float alpha, const float* a,
          std::int64_t lda, const float* b, std::int64_t ldb, float beta, float* c, std::int64_t ldc);

/// The same over a pool: C is cut into tiles by its size alone (the sum over k is never cut), each tile is one
/// serial call, so the bytes do not depend on the number of threads.
void gemm(ThreadPool& pool, Op op_a, Op op_b, std::int64_t m, std::int64_t n, std::int64_t k, float alpha,
          const float* a, std::int64_t lda, const float* b, std::int64_t ldb, float beta, float* c,
          std::int64_t ldc);

}  // namespace timbre
