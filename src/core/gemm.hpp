// The one door to matrix products.
//
//   C = op(A) op(B), or C += op(A) op(B)      float32, row-major
//   op(A) is [m, k], op(B) is [k, n], C is [m, n]; lda, ldb, ldc are the row strides of the arrays as stored
//   (A is [k, m] when transposed)
//
// The order of a sum depends on k alone: k is cut into ceil(k / 192) blocks of nearly equal size, each block is
// one chain of fma from zero in the order of k, and the blocks' sums are added to C in turn. So a row of C has
// the same bytes alone, in any batch, in any tile and on any number of threads; AVX2 and AVX-512 give the same
// ones. (Plain x86-64 has no fma and gives others.)
//
// Products run on tiles of registers (core/product_tile.inc) over panels of op(B) that are packed for them. Callers
// that multiply by the same matrix often pack it once (PackedMatrix).
#pragma once

#include <cstdint>
#include <functional>

#include "core/aligned.hpp"
#include "core/parallel.hpp"

namespace timbre {

enum class Op { none, transpose };
enum class Store { set, add };

/// How the elements of a packed matrix op(B) [k, n] lie: in panels of columns, [panel][k][column]. The last panel is as
/// many whole vectors wide as it needs, with zeros behind the last column.
struct PackedLayout {
  std::int64_t panel, lanes;  // columns of a panel, of a vector

  /// The size of [k, n] in floats.
  std::int64_t size(std::int64_t k, std::int64_t n) const { return k * (piece_count(n, lanes) * lanes); }
  /// Where element (0, column) is, and how far it is from there to (1, column).
  struct Place {
    std::int64_t offset, width;
  };
  Place place(std::int64_t column, std::int64_t k, std::int64_t n) const {
    const auto start = column / panel * panel, whole = piece_count(n, lanes) * lanes - start;
    return {start * k + (column - start), whole < panel ? whole : panel};
  }
};
/// The layout of this machine's kernels.
PackedLayout packed_layout();

/// A matrix in that layout.
struct PackedView {
  std::int64_t k, n;
  const float* data;
};

/// Owns a packed matrix, and keeps its memory from one pack to the next.
class PackedMatrix {
 public:
  void pack(Op op, std::int64_t k, std::int64_t n, const float* b, std::int64_t ldb);
  PackedView view() const { return {k_, n_, data_.data()}; }

 private:
  std::int64_t k_ = 0, n_ = 0;
  AlignedFloats data_;
};

/// Serial: the calling thread does all the work.
void gemm(Op op_a, Op op_b, std::int64_t m, std::int64_t n, std::int64_t k, const float* a, std::int64_t lda,
          const float* b, std::int64_t ldb, Store store, float* c, std::int64_t ldc);

/// The same with n and k of a packed matrix.
void gemm(Op op_a, std::int64_t m, const float* a, std::int64_t lda, PackedView b, Store store, float* c,
          std::int64_t ldc);

/// A part of C whose sums are complete.
struct Tile {
  Piece rows, columns;
};

/// The first over a pool: C is cut into tiles by its size alone. `finish`, if given, is called for each tile by the
/// thread that made it, while the tile is in its cache.
void gemm(ThreadPool& pool, Op op_a, Op op_b, std::int64_t m, std::int64_t n, std::int64_t k, const float* a,
          std::int64_t lda, const float* b, std::int64_t ldb, Store store, float* c, std::int64_t ldc,
          const std::function<void(Tile)>& finish = {});

}  // namespace timbre
