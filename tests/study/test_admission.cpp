// Which run may begin on which device.
#include <gtest/gtest.h>

#include "study/admission.hpp"

namespace timbre::study {
namespace {

using Answer = Admission::Answer;

TEST(Admission, FillsADeviceAndWaitsForRoom) {
  Admission a({{"cuda", 100}}, false);
  EXPECT_EQ(a.ask("cuda", 60), Answer::now);
  a.begin("cuda", 60);
  EXPECT_EQ(a.ask("cuda", 40), Answer::now) << "a smaller one has room beside it";
  EXPECT_EQ(a.ask("cuda", 41), Answer::later);
  a.begin("cuda", 40);
  EXPECT_EQ(a.ask("cuda", 1), Answer::later);
  a.end("cuda", 60);
  EXPECT_EQ(a.ask("cuda", 60), Answer::now);
}

TEST(Admission, ARunThatFitsNowhereGoesAloneToTheLargest) {
  Admission a({{"cuda:0", 100}, {"cuda:1", 50}}, true);
  EXPECT_EQ(a.ask("cuda:1", 60), Answer::never) << "cuda:0 has room for it";
  EXPECT_EQ(a.ask("cuda:1", 500), Answer::never);
  EXPECT_EQ(a.ask("cuda:0", 500), Answer::now);
  a.begin("cuda:0", 10);
  EXPECT_EQ(a.ask("cuda:0", 500), Answer::later) << "it is alone then";
  EXPECT_EQ(a.ask("cuda:1", 50), Answer::now) << "devices do not share memory";
}

TEST(Admission, ARunOfOneDeviceDoesNotWaitForAnother) {
  Admission a({{"cuda:0", 100}, {"cuda:1", 50}}, false);
  EXPECT_EQ(a.ask("cuda:1", 60), Answer::now);
}

TEST(Admission, TheProcessorHasNoLimit) {
  Admission a({{"cpu", std::nullopt}}, false);
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(a.ask("cpu", std::int64_t{1} << 60), Answer::now);
    a.begin("cpu", 0);
  }
}

}  // namespace
}  // namespace timbre::study
