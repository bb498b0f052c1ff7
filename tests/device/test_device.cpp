#include <gtest/gtest.h>

#include "core/error.hpp"
#include "device/device.hpp"

namespace timbre::device {
namespace {

TEST(Device, TheProcessorIsAlwaysThere) {
  EXPECT_EQ(choose("cpu").name, "cpu");
  EXPECT_EQ(choose("cpu").notice, "");
}

TEST(Device, AutoGoesOnAndADeviceAskedForByNameSaysWhyNot) {
  const auto automatic = choose("auto");
  if (automatic.name == "cuda") GTEST_SKIP() << "there is a GPU that can be used";
  EXPECT_EQ(automatic.name, "cpu");
  EXPECT_NE(automatic.notice.find("device: cpu ("), std::string::npos);
  try {
    choose("cuda");
    FAIL() << "cuda was taken where auto could not";
  } catch (const Error& e) {
    EXPECT_NE(std::string(e.what()).find("device cuda cannot be used: "), std::string::npos);
    EXPECT_GT(std::string(e.what()).size(), 35u);
  }
}

}  // namespace
}  // namespace timbre::device
