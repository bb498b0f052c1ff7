// Every registered feature on every device present, against librosa's golden values and the CPU's numbers. A
// device that cannot be used here is skipped, with its reason.
#include <gtest/gtest.h>

#include "device/on_device.hpp"
#include "features/conformance.hpp"

namespace timbre::features {
namespace {

using Conformance = device::OnDevice;

// The CPU's own numbers are what the others are held to.
std::set<std::string> other_devices() {
  auto names = device::all_devices();
  names.erase("cpu");
  return names;
}

TEST_P(Conformance, GivesLibrosasFeatures) { expect_librosas_values(GetParam()); }
TEST_P(Conformance, GivesLibrosasFurtherFeatures) { expect_librosas_further_values(GetParam()); }
TEST_P(Conformance, GivesTheCpusNumbersForEveryKind) { expect_the_cpus_values(GetParam()); }

INSTANTIATE_TEST_SUITE_P(Devices, Conformance, testing::ValuesIn(other_devices()),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace timbre::features
