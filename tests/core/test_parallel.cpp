#include <gtest/gtest.h>
#include <sys/resource.h>

#include <atomic>
#include <chrono>
#include <set>
#include <stdexcept>
#include <thread>

#include "core/parallel.hpp"

namespace timbre {
namespace {

TEST(ThreadPool, RunsEveryPieceOnceWithThreadsOfItsOwn) {
  for (const int threads : {1, 2, 3, 8}) {
    ThreadPool pool(threads);
    EXPECT_EQ(pool.threads(), threads);
    for (const std::int64_t pieces : {0, 1, 2, 7, 1000}) {
      std::vector<std::atomic<int>> done(std::size_t(pieces) + 1);
      std::atomic<bool> strange{false};
      pool.parallel_for(pieces, [&](std::int64_t i, int thread) {
        ++done[std::size_t(i)];
        if (thread < 0 || thread >= threads) strange = true;
      });
      for (std::int64_t i = 0; i < pieces; ++i)
        EXPECT_EQ(done[std::size_t(i)], 1) << threads << " threads, piece " << i;
      EXPECT_FALSE(strange);
    }
  }
}

TEST(ThreadPool, NumbersItsThreadsSoThatTwoNeverShareOne) {
  ThreadPool pool(4);
  std::atomic<int> inside[4] = {};
  std::atomic<bool> shared{false};
  for (int round = 0; round < 50; ++round)
    pool.parallel_for(64, [&](std::int64_t, int thread) {
      if (++inside[thread] != 1) shared = true;
      std::this_thread::yield();
      --inside[thread];
    });
  EXPECT_FALSE(shared);
}

TEST(ThreadPool, IsDoneWithEverythingWhenItReturns) {
  ThreadPool pool(3);
  std::vector<std::int64_t> plain(500);  // not atomic: the return itself must make the writes visible
  for (std::int64_t round = 1; round <= 200; ++round) {
    pool.parallel_for(500, [&](std::int64_t i, int) { plain[std::size_t(i)] += i; });
    for (std::int64_t i = 0; i < 500; ++i) ASSERT_EQ(plain[std::size_t(i)], round * i);
  }
}

TEST(ThreadPool, ThrowsTheExceptionOfTheLowestPieceAfterAllHaveEnded) {
  for (const int threads : {1, 2, 4}) {
    ThreadPool pool(threads);
    for (int round = 0; round < 20; ++round) {
      std::atomic<int> ended{0};
      try {
        pool.parallel_for(100, [&](std::int64_t i, int) {
          ++ended;
          if (i % 10 == 3) throw std::runtime_error(std::to_string(i));
        });
        FAIL() << "nothing was thrown";
      } catch (const std::runtime_error& e) {
        EXPECT_STREQ(e.what(), "3");
      }
      EXPECT_EQ(ended, 100);
    }
    int after = 0;
    pool.parallel_for(1, [&](std::int64_t, int) { ++after; });
    EXPECT_EQ(after, 1) << "a pool goes on after an exception";
  }
}

TEST(ThreadPool, WaitsWithoutBurningTime) {
  ThreadPool pool(4);
  pool.parallel_for(4, [](std::int64_t, int) {});
  const auto used = [] {
    rusage u{};
    getrusage(RUSAGE_SELF, &u);
    return double(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
           1e-6 * double(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
  };
  const double before = used();
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  EXPECT_LT(
      used() - before,
      0.1);  // of processor time, which others' load does not lengthen; spinning threads take 0.3 and more
}

TEST(Pieces, CoverEverythingInOrderAndDifferByAtMostOne) {
  for (const std::int64_t count : {1, 2, 5, 20, 129, 1000})
    for (const std::int64_t largest : {1, 3, 20, 64, 2000}) {
      const auto pieces = piece_count(count, largest);
      std::int64_t at = 0;
      std::set<std::int64_t> sizes;
      for (std::int64_t i = 0; i < pieces; ++i) {
        const auto p = piece_of(count, pieces, i);
        EXPECT_EQ(p.begin, at);
        EXPECT_LE(p.size(), largest);
        sizes.insert(p.size());
        at = p.end;
      }
      EXPECT_EQ(at, count);
      EXPECT_LE(*sizes.rbegin() - *sizes.begin(), 1);
      EXPECT_GE(*sizes.begin(), 1);
    }
}

}  // namespace
}  // namespace timbre
