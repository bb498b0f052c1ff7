#include <gtest/gtest.h>

#include <cmath>

#include "evaluation/aggregate.hpp"
#include "evaluation/calibration.hpp"
#include "evaluation/metrics.hpp"
#include "storage/hdf5.hpp"

namespace timbre::evaluation {
namespace {

constexpr std::int64_t classes = 6;

const storage::H5File& golden() {
  static const auto file = storage::H5File::open(TIMBRE_TEST_DATA "/evaluation_metrics.h5");
  return file;
}
std::vector<float> probabilities() { return golden().read_floats("/probabilities"); }
std::vector<std::int32_t> label() { return golden().read_ints("/label"); }
double expected(const std::string& name) { return golden().double_attribute("/", name); }

void expect_near(const std::vector<double>& got, const std::vector<double>& want, double tolerance) {
  ASSERT_EQ(got.size(), want.size());
  for (std::size_t i = 0; i < got.size(); ++i) EXPECT_NEAR(got[i], want[i], tolerance) << i;
}

TEST(Metrics, AgreeWithScikitLearn) {
  const auto prediction = predicted_classes(probabilities(), classes);
  EXPECT_EQ(prediction, golden().read_ints("/prediction"));
  EXPECT_NEAR(accuracy(label(), prediction), expected("accuracy"), 1e-15);
  const auto confusion = confusion_matrix(label(), prediction, classes);
  EXPECT_EQ(confusion, golden().read_ints("/confusion"));
  const auto each = per_class(confusion, classes);
  expect_near(each.precision, golden().read_doubles("/precision"), 1e-15);
  expect_near(each.recall, golden().read_doubles("/recall"), 1e-15);
  expect_near(each.f1, golden().read_doubles("/f1"), 1e-15);
  EXPECT_NEAR(macro_f1(each, confusion), expected("macro_f1"), 1e-15);
}

TEST(Metrics, CrossEntropyIsKerasS) {
  const double loss = cross_entropy(probabilities(), classes, label());
  EXPECT_NEAR(loss, expected("loss"), 1e-12);
  EXPECT_NEAR(loss, expected("keras_loss"), 1e-6);
}

TEST(Metrics, CrossEntropyClipsAtBothEnds) {
  const std::vector<float> p{1, 0};
  EXPECT_NEAR(cross_entropy(p, 2, std::vector<std::int32_t>{0}), 1e-7, 1e-12);
  EXPECT_NEAR(cross_entropy(p, 2, std::vector<std::int32_t>{1}), -std::log(1e-7), 1e-9);
  const std::vector<float> diverged{NAN, NAN};
  EXPECT_TRUE(std::isnan(cross_entropy(diverged, 2, std::vector<std::int32_t>{1})));
}

TEST(Metrics, OfATieTheFirstWins) {
  EXPECT_EQ(predicted_classes(std::vector<float>{0.2f, 0.4f, 0.4f, 0.5f, 0.5f, 0}, 3),
            (std::vector<std::int32_t>{1, 0}));
}

TEST(Metrics, OfNoRowsAreNotANumber) {
  EXPECT_TRUE(std::isnan(accuracy({}, {})));
  EXPECT_TRUE(std::isnan(cross_entropy({}, 3, {})));
  const auto none = confusion_matrix({}, {}, 2);
  EXPECT_TRUE(std::isnan(macro_f1(per_class(none, 2), none)));
  EXPECT_TRUE(std::isnan(majority_share({})));
}

TEST(Metrics, MacroF1IsOfTheClassesThatHaveRows) {
  // scikit-learn: f1_score([0, 0, 1, 3], [0, 2, 1, 1], labels=[0, 1, 3], average="macro"); class 2 has no row.
  const auto confusion =
      confusion_matrix(std::vector<std::int32_t>{0, 0, 1, 3}, std::vector<std::int32_t>{0, 2, 1, 1}, 4);
  EXPECT_NEAR(macro_f1(per_class(confusion, 4), confusion), 4.0 / 9, 1e-15);
}

TEST(Metrics, ChanceIsTheShareOfTheCommonestClass) {
  EXPECT_EQ(majority_share(std::vector<std::int32_t>{2, 0, 2, 1, 2}), 0.6);
}

TEST(Metrics, RefuseArgumentsThatDoNotFit) {
  EXPECT_THROW(predicted_classes(std::vector<float>(5), 2), std::invalid_argument);
  EXPECT_THROW(cross_entropy(std::vector<float>(4), 2, std::vector<std::int32_t>{0, 2}),
               std::invalid_argument);
  EXPECT_THROW(confusion_matrix(std::vector<std::int32_t>{0}, std::vector<std::int32_t>{-1}, 2),
               std::invalid_argument);
  EXPECT_THROW(accuracy(std::vector<std::int32_t>{0}, {}), std::invalid_argument);
}

TEST(Clips, AreTheMeansOfTheirSegments) {
  const auto clips = aggregate_clips(probabilities(), classes, label(), golden().read_ints("/clip"));
  EXPECT_EQ(clips.clip, golden().read_ints("/clip_name"));
  EXPECT_EQ(clips.label, golden().read_ints("/clip_label"));
  EXPECT_NEAR(clips.accuracy, expected("clip_accuracy"), 1e-15);
  const auto want = golden().read_doubles("/clip_probabilities");
  ASSERT_EQ(clips.probabilities.size(), want.size());
  for (std::size_t i = 0; i < want.size(); ++i) EXPECT_FLOAT_EQ(clips.probabilities[i], float(want[i]));
  const auto names = golden().read_ints("/clip");
  for (std::size_t row = 0; row < names.size(); ++row) EXPECT_EQ(clips.clip[clips.row_clip[row]], names[row]);
}

TEST(Clips, MustAgreeOnTheirLabel) {
  const std::vector<float> p(6, 0.5f);
  const std::vector<std::int32_t> clip{7, 7, 3};
  EXPECT_EQ(aggregate_clips(p, 2, std::vector<std::int32_t>{1, 1, 0}, clip).label,
            (std::vector<std::int32_t>{0, 1}));
  EXPECT_THROW(aggregate_clips(p, 2, std::vector<std::int32_t>{1, 0, 0}, clip), std::invalid_argument);
  EXPECT_THROW(aggregate_clips(p, 2, std::vector<std::int32_t>{1, 0}, clip), std::invalid_argument);
}

TEST(Reliability, IsTheExpectedCalibrationError) {
  const auto r = reliability(probabilities(), classes, label(), 15);
  EXPECT_NEAR(r.expected_error, expected("expected_error"), 1e-12);
  std::int64_t rows = 0;
  for (const auto& bin : r.bins) rows += bin.count;
  EXPECT_EQ(rows, std::int64_t(label().size()));
}

TEST(Reliability, PutsARowAtTheUpperEndOfItsBin) {
  const std::vector<float> p{0.5f, 0.5f, 1, 0, 0.25f, 0.75f};
  const auto r = reliability(p, 2, std::vector<std::int32_t>{0, 1, 1}, 4);
  EXPECT_EQ(r.bins[1].count, 1);  // 0.5 is in (0.25, 0.5]
  EXPECT_EQ(r.bins[2].count, 1);
  EXPECT_EQ(r.bins[3].count, 1);
  EXPECT_TRUE(std::isnan(r.bins[0].accuracy));
  EXPECT_NEAR(r.expected_error, (0.5 + 0.25 + 1) / 3, 1e-15);
}

}  // namespace
}  // namespace timbre::evaluation
