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

// The parameters of dense 4 -> 5, batch normalisation, dense 5 -> 3, from given gradients (golden/keras_adamw.py).
TEST(AdamW, DecaysTheParametersThatKerasDecays) {
  const auto h5 = storage::H5File::open(TIMBRE_TEST_DATA "/keras_adamw.h5");
  const std::pair<const char*, std::size_t> parameters[] = {{"kernel", 20}, {"bias", 5},    {"gamma", 5},
                                                            {"beta", 5},    {"kernel", 15}, {"bias", 3}};
  for (const Case& c :
       {Case{"adamw", "adamw"},
        Case{"adamw_b",
             "adamw: {learning_rate: 0.02, weight_decay: 0.3, beta_1: 0.8, beta_2: 0.95, epsilon: 1e-3}"},
        Case{"adamw_exclude",
             "adamw: {learning_rate: 0.02, weight_decay: 0.3, exclude: [bias, gamma, beta]}"},
        Case{"adamw_no_decay", "adamw: {learning_rate: 0.02, weight_decay: 0}"}}) {
    const auto expected = h5.read_doubles(std::string("/") + c.golden);
    const auto o = optimizer(c.yaml);
    constexpr std::size_t all = 53, steps = 6;
    ASSERT_EQ(expected.size(), all * steps);
    std::size_t at = 0;
    std::uint32_t k = 0;
    for (const auto& [name, n] : parameters) {
      auto p = test::hashed_values(n, k + 1);
      std::vector<float> a(n), b(n), g(n);
      for (std::uint32_t s = 0; s < steps; ++s) {
        for (std::size_t i = 0; i < n; ++i)
          g[i] = float(double(test::hashed(i, 100 + 10 * s + k)) * std::pow(10.0, -double(i % 5)));
        o->update({std::int64_t(n),
                   p.data(),
                   g.data(),
                   {a.data(), b.data()},
                   {},
                   o->learning_rate(),
                   std::int64_t(s) + 1,
                   o->weight_decay({.name = name})});
        for (std::size_t i = 0; i < n; ++i)
          EXPECT_NEAR(p[i], expected[s * all + at + i], 2e-6) << c.golden << " " << name << " step " << s + 1;
      }
      at += n, ++k;
    }
  }
}

TEST(AdamW, NamesAnUnknownParameterWhereItStands) {
  try {
    optimizer("adamw: {exclude: [gamma, biass]}");
    FAIL();
  } catch (const RequestError& e) {
    EXPECT_STREQ(e.what(),
                 "test:1:26: adamw.exclude[1]: unknown parameter 'biass'; did you mean 'bias'? known: "
                 "backward_bias, backward_kernel, backward_recurrent_kernel, beta, bias, forward_bias, "
                 "forward_kernel, "
                 "forward_recurrent_kernel, "
                 "gamma, kernel, recurrent_kernel");
  }
  EXPECT_THROW(optimizer("adamw: {weight_decay: -1}"), RequestError);
  EXPECT_THROW(optimizer("adamw: {exclude: bias}"), RequestError);
  EXPECT_EQ(config::to_yaml(optimizer("adamw: {exclude: [bias]}").dump()),
            config::to_yaml(optimizer(config::to_yaml(optimizer("adamw: {exclude: [bias]}").dump())).dump()));
}

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
