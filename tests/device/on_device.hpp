// What tests that run on every device share: which devices there are, and the skip where one cannot be used.
#pragma once

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "core/error.hpp"
#include "device/device.hpp"

namespace timbre::device {

/// Names of all devices known to the build, and "cuda" where its plug-in is missing too: its tests then say why they
/// are skipped.
inline std::set<std::string> all_devices() {
  load_plugins();
  const auto names = BackendRegistry::instance().names();
  std::set<std::string> out(names.begin(), names.end());
  out.insert("cuda");
  return out;
}

/// A test of the device it is named after; skipped, with the reason, where that cannot be used.
class OnDevice : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    try {
      choose(GetParam());
    } catch (const Error& e) {
      GTEST_SKIP() << e.what();
    }
  }
};

}  // namespace timbre::device
