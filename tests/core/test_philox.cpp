#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <set>

#include "core/philox.hpp"

namespace timbre {
namespace {

using Words = std::array<std::uint32_t, 4>;

// In the words of Random123: counter {c0, c1, c2, c3}, key {k0, k1}.
Words philox4x32(Words c, std::uint32_t k0, std::uint32_t k1) {
  const auto b = philox(std::uint64_t{k1} << 32 | k0, c[3], c[2], std::uint64_t{c[1]} << 32 | c[0]);
  return {b.v[0], b.v[1], b.v[2], b.v[3]};
}

// tests/kat_vectors of Random123 1.14, "philox4x32 10".
TEST(Philox, GivesThePublishedNumbers) {
  EXPECT_EQ(philox4x32({0, 0, 0, 0}, 0, 0), (Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  const std::uint32_t f = 0xffffffff;
  EXPECT_EQ(philox4x32({f, f, f, f}, f, f), (Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, 0xa4093822, 0x299f31d0),
            (Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(Philox, SequenceReadsTheBlocksInOrder) {
  PhiloxSequence sequence(42, 7, 3);
  for (std::uint64_t index = 0; index < 5; ++index) {
    const auto block = philox(42, 7, 3, index);
    for (const auto word : block.v) EXPECT_EQ(sequence.next(), word);
  }
}

TEST(Philox, UniformNumbersStayBelowOne) {
  EXPECT_EQ(uniform_float(0), 0.0f);
  EXPECT_EQ(uniform_float(0xffffffff), 1.0f - 0x1p-24f);
  EXPECT_EQ(uniform_double(0, 0), 0.0);
  EXPECT_EQ(uniform_double(0xffffffff, 0xffffffff), 1.0 - 0x1p-53);
}

TEST(Philox, WholeNumbersAreInRangeAndAllOccur) {
  PhiloxSequence sequence(1, 2);
  std::array<int, 7> seen{};
  for (int i = 0; i < 7000; ++i) {
    const auto x = sequence.below(7);
    ASSERT_LT(x, 7u);
    ++seen[x];
  }
  for (const int n : seen) EXPECT_NEAR(n, 1000, 5 * std::sqrt(1000.0));
  EXPECT_EQ(sequence.below(1), 0u);
}

TEST(Philox, NormalNumbersHaveMeanZeroAndDeviationOne) {
  PhiloxSequence sequence(5, 6);
  const int n = 20000;
  double sum = 0, square = 0;
  for (int i = 0; i < n; ++i) {
    const double x = sequence.normal();
    ASSERT_TRUE(std::isfinite(x));
    sum += x, square += x * x;
  }
  EXPECT_NEAR(sum / n, 0, 5 / std::sqrt(double(n)));
  EXPECT_NEAR(square / n, 1, 5 * std::sqrt(2.0 / n));
}

TEST(Philox, StreamsOfDifferentPurposesDiffer) {
  std::set<std::uint32_t> first;
  for (const auto s : {stream::initialiser, stream::shuffle, stream::split, stream::synthetic,
                       stream::bootstrap, stream::search, stream::dropout, stream::dropout + 1})
    first.insert(PhiloxSequence(0, s).next());
  EXPECT_EQ(first.size(), 8u);
}

}  // namespace
}  // namespace timbre
