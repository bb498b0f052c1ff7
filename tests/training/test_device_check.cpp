// --device check's comparison: it finds nothing where there is nothing, and names the first layer that
// differs.
#include <gtest/gtest.h>

#include "training/conformance.hpp"
#include "training/device_check.hpp"

namespace timbre::training {
namespace {

const std::vector<std::vector<std::int32_t>> batches{{0, 1, 2, 3, 4, 5, 6, 7}, {8, 9, 10}};

TEST(DeviceCheck, FindsNothingBetweenTwoStepsOfOneDevice) {
  for (const auto& c : conformance_cases()) {
    ConformanceSetup setup(c);
    const auto report = check_devices(setup.model, *setup.step("cpu"), *setup.step("cpu"), batches);
    EXPECT_FALSE(report.first) << c.name;
    for (const auto& line : report.lines) EXPECT_EQ(line.difference, 0) << c.name << ": " << line.layer;
  }
}

TEST(DeviceCheck, NamesTheFirstLayerWhoseOutputDiffers) {
  ConformanceSetup setup(conformance_cases()[0]);
  const auto a = setup.step("cpu"), b = setup.step("cpu");
  auto state = b->export_state();
  state.arena[std::size_t(setup.model.parameters()[2].offset)] += 0.1f;  // the second dense layer's kernel
  b->import_state(state);
  const auto report = check_devices(setup.model, *a, *b, batches);
  ASSERT_TRUE(report.first);
  EXPECT_EQ(report.first->layer, "dense_1");
  EXPECT_EQ(report.first->what, "output");
  EXPECT_EQ(report.first->first_step, 1);
  EXPECT_GT(report.first->difference, 1e-3);
  const auto text = describe(report);
  EXPECT_NE(text.find("the first to differ: dense_1, output, in step 1: "), text.npos) << text;
}

TEST(DeviceCheck, NamesTheLastLayersGradientWhereOnlyTheLossDiffers) {
  ConformanceSetup setup(conformance_cases()[0]), smoothed(conformance_cases()[0]);
  smoothed.loss =
      LossChoice::from(config::parse_text("cross_entropy: {label_smoothing: 0.5}", "test.yaml", "."));
  const auto report = check_devices(setup.model, *setup.step("cpu"), *smoothed.step("cpu"), batches);
  ASSERT_TRUE(report.first);
  EXPECT_EQ(report.first->layer, "dense_1");
  EXPECT_EQ(report.first->what, "gradient of kernel");
}

TEST(DeviceCheck, NamesWeightsWhereOnlyTheUpdateDiffers) {
  ConformanceSetup setup(conformance_cases()[0]);
  const auto a = setup.step("cpu"), b = setup.step("cpu");
  b->set_learning_rate(0.5);
  const auto report = check_devices(setup.model, *a, *b, batches);
  ASSERT_TRUE(report.first);
  EXPECT_EQ(report.first->layer, "dense");
  EXPECT_EQ(report.first->what, "update");
  EXPECT_NEAR(report.first->difference, 9, 1e-3);  // 0.5 instead of 0.05
}

TEST(DeviceCheck, ABiasWhoseGradientIsNothingButRoundingDoesNotCount) {
  const ConformanceCase c{
      "",
      "[dense: {units: 3}, batch_normalization, flatten, dense: {units: classes, activation: softmax}]",
      {4, 3}};
  ConformanceSetup setup(c);
  const auto a = setup.step("cpu"), b = setup.step("cpu");
  auto state = b->export_state();
  for (int k = 0; k < 3; ++k) state.arena[std::size_t(setup.model.parameters()[1].offset + k)] += 1e-6f;
  b->import_state(state);
  const auto report = check_devices(setup.model, *a, *b, batches);
  EXPECT_FALSE(report.first) << describe(report);
}

TEST(DeviceCheck, ANumberThatIsNoneDiffers) {
  ConformanceSetup setup(conformance_cases()[0]);
  const auto a = setup.step("cpu"), b = setup.step("cpu");
  auto state = b->export_state();
  state.arena[0] = NAN;
  b->import_state(state);
  const auto report = check_devices(setup.model, *a, *b, batches);
  ASSERT_TRUE(report.first);
  EXPECT_EQ(report.first->layer, "dense");
  EXPECT_TRUE(std::isinf(report.first->difference));
}

}  // namespace
}  // namespace timbre::training
