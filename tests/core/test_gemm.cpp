#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "core/gemm.hpp"
#include "core/gemm_kernels.hpp"
#include "core/parallel.hpp"
#include "core/philox.hpp"

namespace timbre {
namespace {

std::vector<float> numbers(std::int64_t count, std::uint32_t salt) {
  PhiloxSequence random(99, salt);
  std::vector<float> v(static_cast<std::size_t>(count));
  for (auto& x : v) x = static_cast<float>(random.uniform(-1, 1));
  return v;
}

struct Case {
  Op op_a, op_b;
  std::int64_t m, n, k, pad_a, pad_b, pad_c;  // pads: by how much a row's stride is longer than the row
  Store store;
  std::int64_t lda() const { return (op_a == Op::none ? k : m) + pad_a; }
  std::int64_t ldb() const { return (op_b == Op::none ? n : k) + pad_b; }
  std::int64_t ldc() const { return n + pad_c; }
  std::vector<float> a() const { return numbers((op_a == Op::none ? m : k) * lda(), 1); }
  std::vector<float> b() const { return numbers((op_b == Op::none ? k : n) * ldb(), 2); }
  std::vector<float> c() const { return numbers(m * ldc(), 3); }
};

void expect_plain_loop(const Case& p, const std::vector<float>& result) {
  const auto a = p.a(), b = p.b(), before = p.c();
  for (std::int64_t i = 0; i < p.m; ++i)
    for (std::int64_t j = 0; j < p.ldc(); ++j) {
      const auto at = std::size_t(i * p.ldc() + j);
      if (j >= p.n) {
        ASSERT_EQ(result[at], before[at]) << "between the rows";
        continue;
      }
      double sum = 0;
      for (std::int64_t l = 0; l < p.k; ++l)
        sum += double(a[std::size_t(p.op_a == Op::none ? i * p.lda() + l : l * p.lda() + i)]) *
               b[std::size_t(p.op_b == Op::none ? l * p.ldb() + j : j * p.ldb() + l)];
      ASSERT_NEAR(result[at], sum + (p.store == Store::add ? double(before[at]) : 0.0),
                  1e-6 * double(p.k) + 1e-6)
          << i << ", " << j;
    }
}

TEST(Gemm, IsThePlainLoop) {
  for (const auto op_a : {Op::none, Op::transpose})
    for (const auto op_b : {Op::none, Op::transpose})
      for (const auto& [m, n, k] : {std::array<std::int64_t, 3>{1, 1, 1},
                                    {3, 5, 7},
                                    {20, 512, 13},
                                    {65, 33, 130},
                                    {1, 64, 32},
                                    {40, 1, 9}})
        for (const std::int64_t pad : {0, 3})
          for (const auto store : {Store::set, Store::add}) {
            const Case p{op_a, op_b, m, n, k, pad, 2 * pad, pad, store};
            auto c = p.c();
            gemm(op_a, op_b, m, n, k, p.a().data(), p.lda(), p.b().data(), p.ldb(), store, c.data(), p.ldc());
            expect_plain_loop(p, c);
            if (HasFatalFailure()) return;
          }
}

TEST(Gemm, DoesNotReadWhatItOverwrites) {
  const Case p{Op::none, Op::none, 4, 6, 5, 0, 0, 0, Store::set};
  std::vector<float> c(24, std::numeric_limits<float>::quiet_NaN());
  gemm(Op::none, Op::none, 4, 6, 5, p.a().data(), 5, p.b().data(), 6, Store::set, c.data(), 6);
  for (const float x : c) EXPECT_TRUE(std::isfinite(x));
}

TEST(Gemm, OverAPoolIsThePlainLoopWithTheSameBytesForAnyNumberOfThreads) {
  for (const auto op_a : {Op::none, Op::transpose})
    for (const auto op_b : {Op::none, Op::transpose})
      for (const auto& [m, n, k] :
           {std::array<std::int64_t, 3>{8, 8, 8}, {300, 260, 70}, {1040, 129, 20}, {20, 512, 257}}) {
        const Case p{op_a, op_b, m, n, k, 1, 0, 2, Store::add};
        const auto a = p.a(), b = p.b();
        std::vector<float> first;
        for (const int threads : {1, 2, 4, 2}) {
          ThreadPool pool(threads);
          auto c = p.c();
          gemm(pool, op_a, op_b, m, n, k, a.data(), p.lda(), b.data(), p.ldb(), Store::add, c.data(),
               p.ldc());
          if (first.empty()) {
            first = c;
            expect_plain_loop(p, c);
            if (HasFatalFailure()) return;
          }
          EXPECT_EQ(std::memcmp(c.data(), first.data(), c.size() * sizeof(float)), 0)
              << threads << " threads";
        }
      }
}

TEST(Gemm, TellsOfEveryTileOnceItIsComplete) {
  const std::int64_t m = 500, n = 300, k = 40;
  const auto a = numbers(m * k, 1), b = numbers(k * n, 2);
  ThreadPool pool(3);
  std::vector<float> c(std::size_t(m * n)), doubled(std::size_t(m * n));
  gemm(pool, Op::none, Op::none, m, n, k, a.data(), k, b.data(), n, Store::set, c.data(), n);
  gemm(pool, Op::none, Op::none, m, n, k, a.data(), k, b.data(), n, Store::set, doubled.data(), n,
       [&](Tile tile) {
         for (auto r = tile.rows.begin; r < tile.rows.end; ++r)
           for (auto j = tile.columns.begin; j < tile.columns.end; ++j) doubled[std::size_t(r * n + j)] *= 2;
       });
  for (std::size_t i = 0; i < c.size(); ++i) ASSERT_EQ(doubled[i], 2 * c[i]) << i;
}

TEST(Gemm, HasTheSameBytesForRowsAloneAndInAnyBatch) {
  PhiloxSequence random(7, 7);
  const auto upto = [&](std::int64_t most) { return 1 + std::int64_t(random.uniform(0, double(most))); };
  for (int trial = 0; trial < 120; ++trial) {
    // Every third with a long sum, every fourth with few columns.
    const auto m = upto(290), n = upto(trial % 4 ? 300 : 12), k = upto(trial % 3 ? 90 : 1690);
    const auto op_a = trial & 1 ? Op::transpose : Op::none, op_b = trial & 2 ? Op::transpose : Op::none;
    SCOPED_TRACE(::testing::Message() << "m " << m << ", n " << n << ", k " << k << ", ops " << trial % 4);
    const auto a = numbers(m * k, 1), b = numbers(k * n, 2), before = numbers(m * n, 3);
    const auto lda = op_a == Op::none ? k : m, ldb = op_b == Op::none ? n : k;
    const auto store = trial % 5 ? Store::set : Store::add;
    auto all = before;
    gemm(op_a, op_b, m, n, k, a.data(), lda, b.data(), ldb, store, all.data(), n);
    PackedMatrix packed;
    packed.pack(op_b, k, n, b.data(), ldb);
    for (int part = 0; part < 6; ++part) {
      const auto rows = part ? std::min(m, upto(40)) : 1,
                 first = std::int64_t(random.uniform(0, double(m - rows + 1)));
      const float* from = op_a == Op::none ? a.data() + first * lda : a.data() + first;
      for (const bool with_packed : {false, true}) {
        std::vector<float> c(before.begin() + first * n, before.begin() + (first + rows) * n);
        if (with_packed)
          gemm(op_a, rows, from, lda, packed.view(), store, c.data(), n);
        else
          gemm(op_a, op_b, rows, n, k, from, lda, b.data(), ldb, store, c.data(), n);
        ASSERT_EQ(std::memcmp(c.data(), all.data() + first * n, c.size() * sizeof(float)), 0)
            << rows << " rows from " << first << (with_packed ? ", packed" : "");
      }
    }
    // Columns, too: what another column holds changes nothing.
    const auto column = std::int64_t(random.uniform(0, double(n)));
    std::vector<float> one(static_cast<std::size_t>(m));
    for (std::int64_t r = 0; r < m; ++r) one[std::size_t(r)] = before[std::size_t(r * n + column)];
    gemm(op_a, op_b, m, 1, k, a.data(), lda, op_b == Op::none ? b.data() + column : b.data() + column * ldb,
         ldb, store, one.data(), 1);
    for (std::int64_t r = 0; r < m; ++r)
      ASSERT_EQ(one[std::size_t(r)], all[std::size_t(r * n + column)]) << r;
  }
}

TEST(Gemm, OnEveryInstructionSetIsThePlainLoop) {
  for (const auto isa : {Isa::generic, Isa::avx2, Isa::avx512}) {
    if (isa > machine_isa()) continue;  // (core.isa says so)
    SCOPED_TRACE(name_of(isa));
    const auto& kernels = gemm_kernels_for(isa);
    AlignedFloats work(std::size_t{gemm_work});
    for (std::int64_t m = 1; m <= 30; ++m)
      for (const std::int64_t n : {1, 7, 16, 17, 33, 64, 131})
        for (const auto op : {Op::none, Op::transpose}) {
          const Case p{op, op, m, n, 9, 1, 2, 0, m % 2 ? Store::set : Store::add};
          const auto a = p.a(), b = p.b();
          auto c = p.c();
          kernels.multiply(
              {op, op, m, n, 9, a.data(), p.lda(), b.data(), p.ldb(), false, p.store, c.data(), n},
              work.data());
          expect_plain_loop(p, c);
          if (HasFatalFailure()) return;
          AlignedFloats packed(std::size_t(kernels.layout.size(9, n)));
          kernels.pack(op, 9, n, b.data(), p.ldb(), packed.data());
          auto d = p.c();
          kernels.multiply({op, op, m, n, 9, a.data(), p.lda(), packed.data(), 0, true, p.store, d.data(), n},
                           work.data());
          ASSERT_EQ(c, d);
        }
  }
}

TEST(Gemm, GivesAvx2AndAvx512TheSameBytes) {
  if (machine_isa() < Isa::avx512) GTEST_SKIP() << "this machine has no AVX-512";
  const std::int64_t m = 37, n = 70, k = 300;
  const auto a = numbers(m * k, 1), b = numbers(k * n, 2);
  AlignedFloats work(std::size_t{gemm_work});
  std::vector<float> c(std::size_t(m * n)), d(std::size_t(m * n));
  for (auto [isa, out] : {std::pair{Isa::avx2, &c}, {Isa::avx512, &d}})
    gemm_kernels_for(isa).multiply(
        {Op::none, Op::none, m, n, k, a.data(), k, b.data(), n, false, Store::set, out->data(), n},
        work.data());
  EXPECT_EQ(c, d);
}

TEST(Gemm, OfNothingLeavesNothingBehind) {
  float c = 5;
  gemm(Op::none, Op::none, 0, 1, 3, nullptr, 3, nullptr, 1, Store::set, &c, 1);
  EXPECT_EQ(c, 5);
  gemm(Op::none, Op::none, 1, 1, 0, nullptr, 0, nullptr, 1, Store::add, &c, 1);
  EXPECT_EQ(c, 5);
  gemm(Op::none, Op::none, 1, 1, 0, nullptr, 0, nullptr, 1, Store::set, &c, 1);
  EXPECT_EQ(c, 0);
}

}  // namespace
}  // namespace timbre
