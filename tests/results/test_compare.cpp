// What is said of two records that are not the same; and that nothing is said of two that are.
#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "record.hpp"
#include "results/compare.hpp"

namespace timbre::results {
namespace {

using Lines = std::vector<std::string>;

RunRecord record() {
  auto r = example_record();
  r.weights = {{"dense", "kernel", Shape{2, 2}, {1, 2, 3, 4}}, {"dense", "bias", Shape{2}, {0, NAN}}};
  return r;
}

/// The differences after `change` has been done to a copy.
Lines after(const std::function<void(RunRecord&)>& change) {
  auto a = record(), b = record();
  a.history.val_loss[0] = b.history.val_loss[0] = NAN;  // equals itself here
  change(b);
  return differences(a, b);
}

TEST(Compare, TheSameRecordHasNoDifferences) {
  EXPECT_EQ(after([](RunRecord&) {}), Lines{});
}

TEST(Compare, TimesPlacesAndTheMachineDoNotCount) {
  EXPECT_EQ(
      after([](RunRecord& r) {
        r.experiment = "other", r.device = "cuda", r.version = "9", r.environment = {{"cpu", "another"}};
        r.train_seconds = 1e6, r.predict_seconds = 1e6;
        for (auto& s : r.history.seconds) s += 1;
      }),
      Lines{});
}

TEST(Compare, EachPartThatDiffersIsNamedWithHowMuch) {
  const auto one = [](const std::function<void(RunRecord&)>& change) {
    const auto lines = after(change);
    EXPECT_EQ(lines.size(), 1u);
    return lines.empty() ? "" : lines[0];
  };
  EXPECT_EQ(one([](RunRecord& r) { r.status = "interrupted"; }), "status: finished and interrupted");
  EXPECT_EQ(one([](RunRecord& r) { r.epochs_run = 77; }),
            "epochs: " + std::to_string(record().epochs_run) + " and 77");
  EXPECT_EQ(one([](RunRecord& r) { r.history.loss[1] += 0.5; }),
            "history: loss, from epoch 2 on, by at most 0.5");
  EXPECT_EQ(one([](RunRecord& r) { r.history.val_loss[0] = 1; }).substr(0, 35),
            "history: val_loss, from epoch 1 on,");
  EXPECT_EQ(one([](RunRecord& r) { std::swap(r.split.train[0], r.split.train[1]); }).substr(0, 26),
            "split: rows to train: 2 of");
  EXPECT_EQ(one([](RunRecord& r) { r.split.test.pop_back(); }).substr(0, 20), "split: rows to test:");
  EXPECT_EQ(one([](RunRecord& r) { r.test->probabilities[0] += 0.25f; }).substr(0, 39),
            "test: probabilities, by at most 0.25 of");
  EXPECT_EQ(one([](RunRecord& r) { r.validation->clips.prediction[0] += 1; }).substr(0, 38),
            "validation: predictions of clips: 1 of");
  EXPECT_EQ(one([](RunRecord& r) { r.test.reset(); }), "test: one of them has none");
  EXPECT_EQ(one([](RunRecord& r) { r.bad_files.push_back({"a", "b"}); }).substr(0, 10), "bad files:");
  EXPECT_EQ(one([](RunRecord& r) { r.weights[0].data[0] += 1; }), "weights: dense/kernel, by at most 1 of 4");
  EXPECT_EQ(one([](RunRecord& r) { r.weights[0].data[0] = NAN; }),
            "weights: dense/kernel, by at most inf of 4");
  EXPECT_EQ(one([](RunRecord& r) { r.weights[0].name = "other"; }),
            "weights: dense/kernel (2, 2) and dense/other (2, 2)");
  EXPECT_EQ(one([](RunRecord& r) { r.weights.pop_back(); }), "weights: tensors: 2 values and 1");
}

TEST(Compare, MachinesAreToldApart) {
  auto a = record(), b = a;
  EXPECT_EQ(environment_differences(a, b), Lines{});
  a.environment = {{"cpu", "one"}, {"cores", "2"}}, b.environment = {{"cpu", "another"}, {"gpu", "some"}};
  b.version = "9.9", b.device = "cuda";
  EXPECT_EQ(environment_differences(a, b),
            (Lines{"version: " + a.version + " and 9.9", "device: " + a.device + " and cuda",
                   "cores: 2 and nothing", "cpu: one and another", "gpu: nothing and some"}));
}

}  // namespace
}  // namespace timbre::results
