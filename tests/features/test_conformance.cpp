// Every registered feature on every device present, against librosa's golden values and the CPU's numbers. A
// device that cannot be used here is skipped, with its reason.
#include <gtest/gtest.h>

#include "core/error.hpp"
#include "device/device.hpp"
#include "features/conformance.hpp"

namespace timbre::features {
namespace {

/// Names of all devices but the CPU, known here or not.
std::vector<std::string> other_devices() {
  device::load_plugins();
  auto names = device::BackendRegistry::instance().names();
  names.push_back("cuda");  // also where its plug-in is missing: then the test says why it is skipped
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  std::erase(names, "cpu");
  return names;
}

class Conformance : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    try {
      device::choose(GetParam());
    } catch (const Error& e) {
      GTEST_SKIP() << e.what();
    }
  }
};

TEST_P(Conformance, GivesLibrosasFeatures) { expect_librosas_values(GetParam()); }
TEST_P(Conformance, GivesTheCpusNumbersForEveryKind) { expect_the_cpus_values(GetParam()); }

INSTANTIATE_TEST_SUITE_P(Devices, Conformance, testing::ValuesIn(other_devices()),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace timbre::features
