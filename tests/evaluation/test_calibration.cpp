#include <gtest/gtest.h>

#include <cmath>

#include "core/philox.hpp"
#include "evaluation/calibration.hpp"
#include "storage/hdf5.hpp"

namespace timbre::evaluation {
namespace {

TEST(Calibration, BrierScoreAndNullAreThoseOfNumpy) {
  const auto file = storage::H5File::open(TIMBRE_TEST_DATA "/statistics_peers.h5");
  const auto p = file.read_floats("/calibration/probabilities");
  const auto label = file.read_ints("/calibration/label");
  EXPECT_NEAR(brier(p, 6, label), file.double_attribute("/calibration", "brier"), 1e-12);
  EXPECT_NEAR(expected_error_null(p, 6, 15, 0, 4000), file.double_attribute("/calibration", "null"), 1e-3);
}

TEST(Calibration, OfAPerfectlyCalibratedModelIsTheNull) {
  // 107 segments in 15 bins: about 0.09, which the pooled ECE took for a fault of the model.
  double sum = 0, null = 0;
  constexpr int trials = 200;
  for (int t = 0; t < trials; ++t) {
    PhiloxSequence random(5, 93, std::uint32_t(t));
    std::vector<float> p;
    std::vector<std::int32_t> label;
    for (int i = 0; i < 107; ++i) {
      const float sure = float(random.uniform(0.35, 1));
      p.push_back(sure);
      for (int c = 0; c < 9; ++c) p.push_back((1 - sure) / 9);
      label.push_back(random.uniform() < sure ? 0 : 1);
    }
    const auto c = calibration(p, 10, label);
    sum += c.reliability.expected_error / trials, null += c.null_error / trials;
  }
  std::printf("ECE of a calibrated model %.3f, its null %.3f\n", sum, null);
  EXPECT_NEAR(sum, 0.09, 0.015);
  EXPECT_NEAR(sum, null, 0.003);
}

TEST(Calibration, OfSurenessThatIsWrongIsAboveTheNull) {
  std::vector<float> p;
  std::vector<std::int32_t> label;
  for (int i = 0; i < 100; ++i) p.push_back(0.9f), p.push_back(0.1f), label.push_back(i % 2);
  const auto c = calibration(p, 2, label);
  EXPECT_NEAR(c.reliability.expected_error, 0.4, 1e-6);
  EXPECT_LT(c.null_error, 0.05);
  EXPECT_NEAR(c.brier, (2 * 0.01 + 2 * 0.81) / 2, 1e-6);
}

TEST(Calibration, OfNoRowsOrNoNumbersIsUnknown) {
  EXPECT_TRUE(std::isnan(brier({}, 2, {})));
  EXPECT_TRUE(std::isnan(expected_error_null({}, 2)));
  EXPECT_TRUE(std::isnan(expected_error_null(std::vector<float>{NAN, NAN}, 2)));
  EXPECT_THROW(brier(std::vector<float>{1}, 2, std::vector<std::int32_t>{0}), std::invalid_argument);
}

}  // namespace
}  // namespace timbre::evaluation
