#include <gtest/gtest.h>

#include <cmath>

#include "hashed.hpp"
#include "storage/hdf5.hpp"
#include "training/optimizer.hpp"

namespace timbre::training {
namespace {

OptimizerChoice optimizer(const std::string& yaml) {
  const auto node = config::parse_text(yaml, "test", ".");
  return OptimizerChoice::from(node);
}

struct Case {
  const char *golden, *yaml;
};

class OptimizerGolden : public testing::TestWithParam<Case> {};

TEST_P(OptimizerGolden, FollowsKerasElementByElement) {
  const auto h5 = storage::H5File::open(TIMBRE_TEST_DATA "/keras_training.h5");
  const auto expected = h5.read_doubles(std::string("/optimizers/") + GetParam().golden);
  const auto o = optimizer(GetParam().yaml);
  constexpr std::size_t n = 40;
  auto p = test::hashed_values(n, 1);
  std::vector<float> a(n), b(n);
  for (std::size_t s = 0; s < expected.size() / n; ++s) {
    std::vector<float> g(n);
    for (std::size_t i = 0; i < n; ++i)
      g[i] = float(double(test::hashed(i, 100 + std::uint32_t(s))) * std::pow(10.0, -double(i % 5)));
    o->update({std::int64_t(n),
               p.data(),
               g.data(),
               {a.data(), b.data()},
               {},
               o->learning_rate(),
               std::int64_t(s) + 1});
    for (std::size_t i = 0; i < n; ++i)
      EXPECT_NEAR(p[i], expected[s * n + i], 2e-6) << "step " << s + 1 << ", element " << i;
  }
}

INSTANTIATE_TEST_SUITE_P(
    All, OptimizerGolden,
    testing::Values(Case{"adam", "adam"},
                    Case{"adam_b", "adam: {learning_rate: 0.02, beta_1: 0.8, beta_2: 0.95, epsilon: 1e-3}"},
                    Case{"sgd", "sgd: {learning_rate: 0.05}"},
                    Case{"sgd_momentum", "sgd: {learning_rate: 0.05, momentum: 0.9}"},
                    Case{"sgd_nesterov", "sgd: {learning_rate: 0.05, momentum: 0.9, nesterov: true}"},
                    Case{"rmsprop", "rmsprop"},
                    Case{"rmsprop_momentum",
                         "rmsprop: {learning_rate: 0.01, rho: 0.8, momentum: 0.5, epsilon: 1e-4}"}),
    [](const auto& info) { return std::string(info.param.golden); });

TEST(Optimizer, PenaltiesEnterTheGradientOfEveryRegisteredOptimizer) {
  // An optimizer given g and a penalty moves as one given g + l1 sign(p) + 2 l2 p.
  for (const auto& name : OptimizerRegistry::instance().names()) {
    const auto o = optimizer(name);
    auto p = test::hashed_values(64, 5);
    p[3] = 0;
    auto q = p;
    const auto g = test::hashed_values(64, 6);
    std::vector<float> h(64), a(64), b(64), c(64), d(64);
    const float l1 = 0.01f, l2 = 0.2f;
    for (std::size_t i = 0; i < 64; ++i) h[i] = g[i] + l1 * float((p[i] > 0) - (p[i] < 0)) + 2 * l2 * p[i];
    o->update({64, p.data(), g.data(), {a.data(), b.data()}, {l1, l2}, 0.01, 1});
    o->update({64, q.data(), h.data(), {c.data(), d.data()}, {}, 0.01, 1});
    for (std::size_t i = 0; i < 64; ++i) EXPECT_NEAR(p[i], q[i], 1e-6) << name;
  }
}

TEST(Optimizer, CuttingTheArenaChangesNoByte) {
  for (const auto& name : OptimizerRegistry::instance().names()) {
    const auto o = optimizer(name);
    auto p = test::hashed_values(101, 5), q = p;
    const auto g = test::hashed_values(101, 6);
    std::vector<float> a(101), b(101), c(101), d(101);
    for (int step = 1; step <= 3; ++step) {
      o->update({101, p.data(), g.data(), {a.data(), b.data()}, {1e-3, 1e-2}, 0.01, step});
      o->update({37, q.data(), g.data(), {c.data(), d.data()}, {1e-3, 1e-2}, 0.01, step});
      o->update({64, q.data() + 37, g.data() + 37, {c.data() + 37, d.data() + 37}, {1e-3, 1e-2}, 0.01, step});
    }
    EXPECT_EQ(p, q) << name;
  }
}

TEST(Optimizer, RefusesWhatMakesNoSense) {
  for (const char* yaml : {"adam: {learning_rate: 0}", "adam: {learning_rate: -1}", "adam: {beta_1: 1}",
                           "sgd: {momentum: 1.5}", "adagrad", "adam: {lr: 1}"})
    EXPECT_THROW(optimizer(yaml), RequestError) << yaml;
}

}  // namespace
}  // namespace timbre::training
