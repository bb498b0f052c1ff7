// Sums over the rows of a [rows, columns] array, in an order that depends on its size alone.
//
// Rows are cut into pieces of `piece_rows`; a block sums 32 columns of one piece: eight threads per column
// take every eighth row, and their sums are added in order. Then column_totals_kernel adds the pieces in the
// same way. Value is a functor (row, column) -> T, called once for each; T is float, or a struct of doubles
// with operator+=. Finish is a functor (column, total) that does something with each total, once.
#pragma once

#include "cuda/support/kernel.hpp"

namespace timbre::cuda {

inline constexpr int column_tile = 32, column_lanes = 8;

/// The sum of value(r) for r = begin + lane, begin + lane + 8, .. below end, over the eight lanes of a
/// column; the first lane has it. `part` is shared, [column_lanes][column_tile + 1].
template <class T, class Value>
__device__ T lanes_sum(Value value, std::int64_t begin, std::int64_t end, T (*part)[column_tile + 1]) {
  const int lane = static_cast<int>(threadIdx.y), column = static_cast<int>(threadIdx.x);
  T sum{};
  for (std::int64_t r = begin + lane; r < end; r += column_lanes) sum += value(r);
  part[lane][column] = sum;
  __syncthreads();
  if (lane == 0)
    for (int k = 1; k < column_lanes; ++k) sum += part[k][column];
  return sum;
}

/// `live` (may be null) times live_scale bounds the rows. partial [pieces, columns]; null where there is one
/// piece, whose sums are the totals.
template <class T, class Value, class Finish>
__global__ void __launch_bounds__(column_tile* column_lanes)
    column_partials_kernel(Value value, std::int64_t rows, std::int64_t columns, std::int64_t piece_rows,
                           const std::int32_t* live, std::int64_t live_scale, T* __restrict__ partial,
                           Finish finish) {
  TIMBRE_SHARED(T, part, [column_lanes][column_tile + 1]);
  const std::int64_t column = static_cast<std::int64_t>(blockIdx.x) * column_tile + threadIdx.x;
  const std::int64_t begin = static_cast<std::int64_t>(blockIdx.y) * piece_rows;
  std::int64_t end = begin + piece_rows < rows ? begin + piece_rows : rows;
  if (live && *live * live_scale < end) end = *live * live_scale;
  const T sum =
      lanes_sum<T>([&](std::int64_t r) { return value(r, column); }, begin, column < columns ? end : 0, part);
  if (threadIdx.y > 0 || column >= columns) return;
  if (partial)
    partial[static_cast<std::int64_t>(blockIdx.y) * columns + column] = sum;
  else
    finish(column, sum);
}

template <class T, class Finish>
__global__ void __launch_bounds__(column_tile* column_lanes)
    column_totals_kernel(const T* __restrict__ partial, std::int64_t pieces, std::int64_t columns,
                         Finish finish) {
  TIMBRE_SHARED(T, part, [column_lanes][column_tile + 1]);
  const std::int64_t column = static_cast<std::int64_t>(blockIdx.x) * column_tile + threadIdx.x;
  const T sum = lanes_sum<T>([&](std::int64_t r) { return partial[r * columns + column]; }, 0,
                             column < columns ? pieces : 0, part);
  if (threadIdx.y == 0 && column < columns) finish(column, sum);
}

/// How rows are cut: enough pieces to fill a GPU, at most 256, each of 32 rows or more.
inline std::int64_t column_piece_rows(std::int64_t rows) {
  const std::int64_t least = 32, most_pieces = 256, even = (rows + most_pieces - 1) / most_pieces;
  return even > least ? even : least;
}
inline std::int64_t column_pieces(std::int64_t rows) {
  const auto piece = column_piece_rows(rows);
  return rows > 0 ? (rows + piece - 1) / piece : 1;
}

/// Finish: the total is stored.
template <class T>
struct StoreTotal {
  T* total;
  __device__ void operator()(std::int64_t column, T sum) const { total[column] = sum; }
};

/// partial: [column_pieces(rows), columns] of work space.
template <class T, class Value, class Finish>
void sum_columns(cudaStream_t stream, Value value, std::int64_t rows, std::int64_t columns,
                 const std::int32_t* live, std::int64_t live_scale, T* partial, Finish finish) {
  const auto pieces = column_pieces(rows);
  const dim3 grid(static_cast<unsigned>((columns + column_tile - 1) / column_tile),
                  static_cast<unsigned>(pieces));
  launch(column_partials_kernel<T, Value, Finish>, grid, dim3(column_tile, column_lanes), 0, stream, value,
         rows, columns, column_piece_rows(rows), live, live_scale, pieces > 1 ? partial : nullptr, finish);
  if (pieces > 1)
    launch(column_totals_kernel<T, Finish>, dim3(grid.x), dim3(column_tile, column_lanes), 0, stream, partial,
           pieces, columns, finish);
}

}  // namespace timbre::cuda
