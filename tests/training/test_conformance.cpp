// Training on every device present, against the CPU. A device that cannot be used here is skipped, with its
// reason.
#include <gtest/gtest.h>

#include "device/on_device.hpp"
#include "training/conformance.hpp"

namespace timbre::training {
namespace {

using StepConformance = device::OnDevice;

TEST_P(StepConformance, TrainsAsTheCpu) { expect_the_cpus_training(GetParam()); }
TEST_P(StepConformance, ANetworkPredictsAsTheStep) { expect_a_network_predicts_as_the_step(GetParam()); }
TEST_P(StepConformance, AgreesWithTheCpuInEveryLayer) { expect_every_layer_agrees(GetParam()); }
TEST_P(StepConformance, TellsTheFirstBadStep) { expect_a_bad_step_is_told(GetParam()); }
TEST_P(StepConformance, ReplaysEqualEagerSteps) { expect_replays_equal_eager_steps(GetParam()); }
TEST_P(StepConformance, GivesTheSameBytesSideBySide) { expect_the_same_bytes_side_by_side(GetParam()); }
TEST_P(StepConformance, DrawsNewMasksInEveryStep) { expect_new_masks_in_every_step(GetParam()); }

INSTANTIATE_TEST_SUITE_P(Devices, StepConformance, testing::ValuesIn(device::all_devices()),
                         [](const auto& info) { return info.param; });

TEST(StepConformanceCases, CoverEveryRegisteredPart) { expect_every_part_is_covered(); }

}  // namespace
}  // namespace timbre::training
