#include <gtest/gtest.h>

#include <cstdlib>
#include <limits>

#include "core/text.hpp"

namespace timbre {
namespace {

TEST(Text, SuggestsTheNearestKnownName) {
  const std::vector<std::string> known = {"units", "activation", "use_bias", "rate"};
  EXPECT_EQ(did_you_mean("unit", known), "; did you mean 'units'?");
  EXPECT_EQ(did_you_mean("actviation", known), "; did you mean 'activation'?");
  EXPECT_EQ(did_you_mean("use-bias", known), "; did you mean 'use_bias'?");
  EXPECT_EQ(did_you_mean("learning_rate_of_all", known), "");
  EXPECT_EQ(did_you_mean("x", known), "");
  EXPECT_EQ(did_you_mean("", known), "");
  EXPECT_EQ(did_you_mean(std::string(100'000, 'u'), known), "");
  EXPECT_EQ(did_you_mean("unit", {}), "");
}

TEST(Text, JoinsNames) {
  EXPECT_EQ(join({}), "");
  EXPECT_EQ(join({"a"}), "a");
  EXPECT_EQ(join({"a", "b", "c"}), "a, b, c");
  EXPECT_EQ(join({"a", "b"}, "/"), "a/b");
}

TEST(Text, WritesNumbersSoThatTheyReadBack) {
  EXPECT_EQ(number_text(3), "3");
  EXPECT_EQ(number_text(-0.5), "-0.5");
  EXPECT_EQ(number_text(1e-5), "1e-05");
  EXPECT_EQ(number_text(std::numeric_limits<double>::quiet_NaN()), "nan");
  for (const double x : {0.1, 1.0 / 3, 1e300, 123456.789, 5e-324, 1e15, 123456789012345678.0})
    EXPECT_EQ(std::strtod(number_text(x).c_str(), nullptr), x);
}

TEST(Text, SaysDurationsAsAPersonWould) {
  EXPECT_EQ(duration_text(0.42), "0.4 s");
  EXPECT_EQ(duration_text(12.4), "12 s");
  EXPECT_EQ(duration_text(59.7), "1 min 0 s");
  EXPECT_EQ(duration_text(200), "3 min 20 s");
  EXPECT_EQ(duration_text(2 * 3600 + 5 * 60 + 1), "2 h 5 min");
  EXPECT_EQ(duration_text(-1), "?");
  EXPECT_EQ(duration_text(std::numeric_limits<double>::quiet_NaN()), "?");
}

TEST(Text, GroupsDigits) {
  EXPECT_EQ(grouped(0), "0");
  EXPECT_EQ(grouped(999), "999");
  EXPECT_EQ(grouped(1000), "1,000");
  EXPECT_EQ(grouped(1234567), "1,234,567");
  EXPECT_EQ(grouped(-1234567), "-1,234,567");
  EXPECT_EQ(grouped(-999), "-999");
}

TEST(Text, MakesNamesPrintable) {
  EXPECT_EQ(printable("Björk – Jóga.wav"), "Björk – Jóga.wav");
  EXPECT_EQ(printable("a\nb\x1b[31m"), "a\\x0ab\\x1b[31m");
  EXPECT_EQ(printable("caf\xe9.wav"), "caf\\xe9.wav");
  EXPECT_EQ(printable("cut \xf0\x9f\x8e"), "cut \\xf0\\x9f\\x8e");
  EXPECT_EQ(printable(std::string_view("\0x", 2)), "\\x00x");
}

}  // namespace
}  // namespace timbre
