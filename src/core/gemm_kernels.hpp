// Products and packing for each instruction set; core/gemm.hpp is what others use.
#pragma once

#include <cstdint>

#include "core/gemm.hpp"
#include "core/isa.hpp"

namespace timbre {

struct Product {
  Op op_a, op_b;
  std::int64_t m, n, k;
  const float* a;
  std::int64_t lda;
  const float* b;
  std::int64_t ldb;
  bool packed;  // b is a PackedMatrix's data, op_b and ldb mean nothing
  Store store;
  float* c;
  std::int64_t ldc;
};

struct GemmKernels {
  PackedLayout layout;
  void (*pack)(Op op, std::int64_t k, std::int64_t n, const float* b, std::int64_t ldb, float* packed);
  /// work: gemm_work floats, on a cache line.
  void (*multiply)(const Product& product, float* work);
};

/// Those of an instruction set that this machine has.
const GemmKernels& gemm_kernels_for(Isa isa);

/// The greatest number of k that are summed in one chain.
constexpr std::int64_t gemm_depth = 192;
/// Rows of op(A) that stay in the second cache, gemm_depth wide, while panel after panel passes by.
constexpr std::int64_t gemm_rows = 320;
/// Columns of op(B) that are packed at once, where it is not packed before.
constexpr std::int64_t gemm_columns = 144;
/// For these columns and these rows.
constexpr std::int64_t gemm_work = gemm_depth * (gemm_columns + gemm_rows);

}  // namespace timbre
