#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "core/gemm.hpp"
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

struct Product {
  Op op_a, op_b;
  std::int64_t m, n, k, pad_a, pad_b, pad_c;  // pads: by how much a row's stride is longer than the row
  float alpha, beta;
  std::int64_t lda() const { return (op_a == Op::none ? k : m) + pad_a; }
  std::int64_t ldb() const { return (op_b == Op::none ? n : k) + pad_b; }
  std::int64_t ldc() const { return n + pad_c; }
  std::vector<float> a() const { return numbers((op_a == Op::none ? m : k) * lda(), 1); }
  std::vector<float> b() const { return numbers((op_b == Op::none ? k : n) * ldb(), 2); }
  std::vector<float> c() const { return numbers(m * ldc(), 3); }
};

void expect_plain_loop(const Product& p, const std::vector<float>& result) {
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
      ASSERT_NEAR(result[at], p.alpha * sum + p.beta * before[at], 1e-6 * double(p.k) + 1e-6)
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
          for (const auto& [alpha, beta] : {std::pair{1.0f, 0.0f}, {1.0f, 1.0f}, {-0.5f, 2.0f}}) {
            const Product p{op_a, op_b, m, n, k, pad, 2 * pad, pad, alpha, beta};
            auto c = p.c();
            gemm(op_a, op_b, m, n, k, alpha, p.a().data(), p.lda(), p.b().data(), p.ldb(), beta, c.data(),
                 p.ldc());
            expect_plain_loop(p, c);
            if (HasFatalFailure()) return;
          }
}

TEST(Gemm, DoesNotReadWhatItOverwrites) {
  const Product p{Op::none, Op::none, 4, 6, 5, 0, 0, 0, 1, 0};
  std::vector<float> c(24, std::numeric_limits<float>::quiet_NaN());
  gemm(Op::none, Op::none, 4, 6, 5, 1, p.a().data(), 5, p.b().data(), 6, 0, c.data(), 6);
  for (const float x : c) EXPECT_TRUE(std::isfinite(x));
}

TEST(Gemm, OverAPoolIsThePlainLoopWithTheSameBytesForAnyNumberOfThreads) {
  for (const auto op_a : {Op::none, Op::transpose})
    for (const auto op_b : {Op::none, Op::transpose})
      for (const auto& [m, n, k] :
           {std::array<std::int64_t, 3>{8, 8, 8}, {300, 260, 70}, {1040, 129, 20}, {20, 512, 257}}) {
        const Product p{op_a, op_b, m, n, k, 1, 0, 2, 1, 1};
        const auto a = p.a(), b = p.b();
        std::vector<float> first;
        for (const int threads : {1, 2, 4, 2}) {
          ThreadPool pool(threads);
          auto c = p.c();
          gemm(pool, op_a, op_b, m, n, k, 1, a.data(), p.lda(), b.data(), p.ldb(), 1, c.data(), p.ldc());
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

TEST(Gemm, OfNothingLeavesNothingBehind) {
  float c = 5;
  gemm(Op::none, Op::none, 0, 1, 3, 1, nullptr, 3, nullptr, 1, 0, &c, 1);
  EXPECT_EQ(c, 5);
}

}  // namespace
}  // namespace timbre
