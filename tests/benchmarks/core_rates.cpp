#include "core_rates.hpp"

#include <atomic>
#include <chrono>
#include <cstring>
#include <vector>

#define TIMBRE_KERNELS "core_rates.inc"
#include "core/each_target.inc"

namespace timbre::benchmarks {
namespace {

/// Runs `work` on every thread for about 50 ms; returns the milliseconds of one call on all threads.
template <class F>
double time_of(ThreadPool& pool, F&& work) {
  using Clock = std::chrono::steady_clock;
  const auto threads = pool.threads();
  for (std::int64_t calls = 4;; calls *= 2) {
    const auto start = Clock::now();
    pool.parallel_for(threads, [&](std::int64_t thread, int) {
      for (std::int64_t i = 0; i < calls; ++i) work(thread);
    });
    const double ms = std::chrono::duration<double, std::milli>(Clock::now() - start).count();
    if (ms > 50) return ms / double(calls);
  }
}

}  // namespace

double milliseconds_of_a_gflop(ThreadPool& pool) {
  constexpr std::int64_t rounds = 10000;
  const auto& loop = TIMBRE_BEST_OF(fma_loop);
  static std::atomic<float> sink;
  const double ms =
      time_of(pool, [&](std::int64_t) { sink.store(loop.run(rounds), std::memory_order_relaxed); });
  return ms / (double(rounds) * loop.operations * pool.threads() * 1e-9);
}

double milliseconds_of_a_gigabyte(ThreadPool& pool) {
  constexpr std::size_t size = std::size_t{8} << 20;
  static std::vector<std::vector<char>> from, to;
  from.resize(std::size_t(pool.threads()), std::vector<char>(size, 1));
  to.resize(std::size_t(pool.threads()), std::vector<char>(size, 2));
  const double ms = time_of(pool, [&](std::int64_t thread) {
    std::memcpy(to[std::size_t(thread)].data(), from[std::size_t(thread)].data(), size);
  });
  return ms / (2.0 * double(size) * pool.threads() * 1e-9);
}

}  // namespace timbre::benchmarks
