// Threads that go to sleep when there is nothing to do, and loops whose result does not depend on how many there are.
//
// The caller cuts work into pieces by size (piece_count), never by the number of threads; which thread runs a
// piece is left to chance, so a piece may write only what is its own. Sums over pieces are added by the caller
// in the order of pieces.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

namespace timbre {

class ThreadPool {
 public:
  /// threads >= 1, the calling thread included; 0 means one per core.
  explicit ThreadPool(int threads = 0);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int threads() const;

  /// Runs body(piece, thread) for every piece in [0, pieces), thread in [0, threads()); returns when all have
  /// ended. The calling thread works too. The first exception (lowest piece) is rethrown after all ended.
  /// Not reentrant: a body must not call parallel_for on the same pool.
  void parallel_for(std::int64_t pieces, const std::function<void(std::int64_t piece, int thread)>& body);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Number of cores this process may use.
int available_cores();

/// Number of pieces for `count` items, each of at most `largest` items.
inline std::int64_t piece_count(std::int64_t count, std::int64_t largest) {
  return (count + largest - 1) / largest;
}

/// Half-open range of piece i when `count` items are cut into `pieces` parts that differ by at most one.
struct Piece {
  std::int64_t begin, end;
  std::int64_t size() const { return end - begin; }
};
inline Piece piece_of(std::int64_t count, std::int64_t pieces, std::int64_t i) {
  const auto base = count / pieces, extra = count % pieces;
  const auto begin = i * base + (i < extra ? i : extra);
  return {begin, begin + base + (i < extra)};
}

}  // namespace timbre
