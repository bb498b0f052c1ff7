// Baselines beside scikit-learn's (tests/golden/statistics_peers.py).
#include <gtest/gtest.h>

#include <cmath>

#include "core/philox.hpp"
#include "evaluation/baselines/logistic.hpp"
#include "evaluation/metrics.hpp"
#include "evaluation/statistics.hpp"
#include "storage/hdf5.hpp"

namespace timbre::evaluation {
namespace {

const storage::H5File& golden() {
  static const auto file = storage::H5File::open(TIMBRE_TEST_DATA "/statistics_peers.h5");
  return file;
}

void add_row(Matrix& m, std::span<const double> row) {
  m.columns = std::int64_t(row.size()), ++m.rows;
  m.values.insert(m.values.end(), row.begin(), row.end());
}

struct Golden {
  BaselineData data{.classes = 4};
  std::vector<std::int32_t> test_label;
  Golden() {
    const auto features = golden().read_floats("/features");
    const auto label = golden().read_ints("/label"), clip = golden().read_ints("/clip"),
               part = golden().read_ints("/part");
    std::vector<double> row(10);
    for (std::size_t i = 0; i < label.size(); ++i) {
      summarise(std::span(features).subspan(i * 35, 35), 5, row);
      if (part[i] == 0) add_row(data.train, row), data.train_label.push_back(label[i]);
      if (part[i] == 1) {
        add_row(data.validation, row);
        data.validation_label.push_back(label[i]), data.validation_clip.push_back(clip[i]);
      }
      if (part[i] == 2) add_row(data.test, row), test_label.push_back(label[i]);
    }
  }
};

TEST(Baselines, SummariesAndStandardisationAreNumpysAndScikitLearns) {
  const auto features = golden().read_floats("/features");
  const auto summary = golden().read_doubles("/summary"),
             standardised = golden().read_doubles("/standardised");
  std::vector<double> row(10);
  for (std::size_t i = 0; i < summary.size() / 10; ++i) {
    summarise(std::span(features).subspan(i * 35, 35), 5, row);
    for (std::size_t f = 0; f < 10; ++f) EXPECT_NEAR(row[f], summary[10 * i + f], 1e-9);
  }
  Golden g;
  standardise(g.data.test, standard_of(g.data.train));
  const auto first = standardised.size() - g.data.test.values.size();  // the test rows come last
  for (std::size_t i = 0; i < g.data.test.values.size(); ++i)
    EXPECT_NEAR(g.data.test.values[i], standardised[first + i], 1e-8) << i;
}

TEST(Baselines, LogisticRegressionIsScikitLearnsAtEveryPenalty) {
  Golden g;
  ThreadPool pool(1);
  const auto standard = standard_of(g.data.train);
  standardise(g.data.train, standard), standardise(g.data.test, standard);
  const auto expected = golden().read_doubles("/logistic");
  const auto each = std::size_t(g.data.test.rows) * 4;
  double furthest = 0;
  for (std::size_t k = 0; k < std::size(logistic_penalties); ++k) {
    const auto fit = fit_logistic(g.data.train, g.data.train_label, 4, logistic_penalties[k], pool);
    EXPECT_TRUE(fit.converged) << logistic_penalties[k];
    EXPECT_LT(fit.gradient, 1e-6);
    const auto p = logistic_probabilities(g.data.test, fit.x, 4);
    for (std::size_t i = 0; i < each; ++i)
      furthest = std::max(furthest, std::abs(p[i] - expected[k * each + i]));
  }
  std::printf("furthest from scikit-learn: %.1e\n", furthest);
  EXPECT_LT(furthest, 1e-4);
}

TEST(Baselines, OfTwoClassesThePenaltyIsScikitLearnsToo) {
  Golden g;
  ThreadPool pool(1);
  const auto standard = standard_of(g.data.train);
  standardise(g.data.train, standard), standardise(g.data.test, standard);
  Matrix train, test;
  std::vector<std::int32_t> label;
  for (std::int64_t i = 0; i < g.data.train.rows; ++i)
    if (const auto l = g.data.train_label[std::size_t(i)]; l < 2)
      add_row(train, g.data.train.row(i)), label.push_back(l);
  for (std::int64_t i = 0; i < g.data.test.rows; ++i)
    if (g.test_label[std::size_t(i)] < 2) add_row(test, g.data.test.row(i));
  const auto p = logistic_probabilities(test, fit_logistic(train, label, 2, 0.5, pool).x, 2);
  const auto expected = golden().read_doubles("/binary");
  ASSERT_EQ(p.size(), expected.size());
  for (std::size_t i = 0; i < p.size(); ++i) EXPECT_NEAR(p[i], expected[i], 1e-4);
}

TEST(Baselines, ChooseThePenaltyOnValidationAndAnswerAsThePeersDo) {
  Golden g;
  ThreadPool pool(1);
  const auto all = fit_baselines(g.data, pool);
  ASSERT_EQ(all.size(), 3u);
  EXPECT_EQ(all[0].name, "majority");
  EXPECT_EQ(all[1].name, "nearest_mean");
  EXPECT_EQ(all[2].name, "logistic");
  EXPECT_EQ(all[2].penalty, golden().double_attribute("/", "chosen"));
  EXPECT_EQ(all[2].parameters, 4 * 11);
  EXPECT_TRUE(all[2].converged);
  EXPECT_GT(all[2].iterations, 0);
  EXPECT_EQ(predicted_classes(all[1].probabilities, 4), golden().read_ints("/nearest_mean"));
  const auto most = predicted_classes(all[0].probabilities, 4);
  std::vector<int> counts(4);
  for (const auto l : g.data.train_label) ++counts[std::size_t(l)];
  EXPECT_EQ(most[0], std::max_element(counts.begin(), counts.end()) - counts.begin());
  EXPECT_NEAR(all[0].probabilities[1], double(counts[1]) / double(g.data.train_label.size()), 1e-7);
  for (const auto& b : all) EXPECT_EQ(b.probabilities.size(), std::size_t(g.data.test.rows * 4)) << b.name;
}

/// 540 segments of 100 clips, 26 numbers each; `strength` of the classes' means.
BaselineData hundred_clips(double strength, std::uint32_t stream, std::vector<std::int32_t>& test_label) {
  BaselineData d{.classes = 10};
  PhiloxSequence random(1, stream);
  std::vector<double> centres(260), row(26);
  for (double& v : centres) v = strength * random.normal();
  for (int clip = 0; clip < 100; ++clip)
    for (int segment = 0; segment < 5; ++segment) {
      const auto label = std::int32_t(clip % 10);
      for (std::size_t f = 0; f < 26; ++f) row[f] = centres[std::size_t(label) * 26 + f] + random.normal();
      if (clip < 60)
        add_row(d.train, row), d.train_label.push_back(label);
      else if (clip < 80)
        add_row(d.validation, row), d.validation_label.push_back(label), d.validation_clip.push_back(clip);
      else
        add_row(d.test, row), test_label.push_back(label);
    }
  return d;
}

TEST(Baselines, AreTheSameBytesOnAnyNumberOfThreads) {
  std::vector<std::int32_t> label;
  auto one = hundred_clips(0.4, 94, label);
  auto two = one;
  ThreadPool alone(1), pair(2);
  const auto first = fit_baselines(one, alone);
  const auto second = fit_baselines(two, pair);
  for (std::size_t i = 0; i < first.size(); ++i) EXPECT_EQ(first[i].probabilities, second[i].probabilities);
  EXPECT_GT(accuracy(label, predicted_classes(first[2].probabilities, 10)), 0.5);
}

TEST(Baselines, OfRandomLabelsAreChance) {
  std::int64_t right = 0, all = 0;
  ThreadPool pool(1);
  for (std::uint32_t trial = 0; trial < 5; ++trial) {
    std::vector<std::int32_t> label;
    auto data = hundred_clips(0, 100 + trial, label);
    const auto prediction = predicted_classes(fit_baselines(data, pool)[2].probabilities, 10);
    for (std::size_t i = 0; i < label.size(); ++i) right += label[i] == prediction[i], ++all;
  }
  const auto interval = wilson_interval(right, all);
  EXPECT_LT(interval.low, 0.1);
  EXPECT_GT(interval.high, 0.1);
}

TEST(Baselines, HoldWhereClassesOrVarianceAreMissing) {
  BaselineData d{.classes = 3};
  for (int i = 0; i < 6; ++i) {
    add_row(d.train, std::vector<double>{double(i % 2), 7});
    d.train_label.push_back(i % 2);  // no third class
  }
  add_row(d.validation, std::vector<double>{0, 7}), d.validation_label = {2}, d.validation_clip = {0};
  add_row(d.test, std::vector<double>{1, 7});
  ThreadPool pool(1);
  for (const auto& b : fit_baselines(d, pool)) {
    for (const float p : b.probabilities) EXPECT_TRUE(std::isfinite(p)) << b.name;
    EXPECT_LT(b.probabilities[2], 0.01) << b.name;
  }
  BaselineData wrong{.classes = 3};
  EXPECT_THROW(fit_baselines(wrong, pool), std::invalid_argument);
}

}  // namespace
}  // namespace timbre::evaluation
