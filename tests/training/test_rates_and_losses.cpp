// Schedules, warm-up, class weights, nadam and the focal loss: Keras's values, and what is refused.
#include <gtest/gtest.h>

#include <array>
#include <cmath>

#include "conformance.hpp"
#include "core/error.hpp"
#include "hashed.hpp"
#include "storage/hdf5.hpp"
#include "training/augmentation.hpp"
#include "training/trainer.hpp"

namespace timbre::training {
namespace {

storage::H5File golden() { return storage::H5File::open(TIMBRE_TEST_DATA "/keras_rates_and_losses.h5"); }

TrainingOptions options_of(const std::string& yaml) {
  const auto node = config::parse_text(yaml, "a.yaml", ".");
  return schema(config::of<TrainingOptions>{}).parse(config::Reader(node, "training"));
}

template <class F>
std::string refusal(F&& work) {
  try {
    work();
  } catch (const RequestError& e) {
    return e.what();
  }
  return "no error";
}

TEST(Nadam, FollowsKerasElementByElement) {
  for (const auto& [name, yaml] : std::vector<std::pair<std::string, std::string>>{
           {"nadam", "nadam"},
           {"nadam_b", "nadam: {learning_rate: 0.02, beta_1: 0.8, beta_2: 0.95, epsilon: 1e-3}"}}) {
    const auto expected = golden().read_doubles("/optimizers/" + name);
    const auto o = OptimizerChoice::from(config::parse_text(yaml, "test", "."));
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
        ASSERT_NEAR(p[i], expected[s * n + i], 3e-6) << name << ", step " << s + 1 << ", element " << i;
    }
  }
}

TEST(FocalCrossEntropy, FollowsKeras) {
  const auto h5 = golden();
  for (const std::string name : {"usual", "smoothed", "flat", "steep"}) {
    const auto at = "/focal/" + name + "/";
    const auto o = h5.read_doubles(at + "options");
    const auto loss = LossChoice::from(config::parse_text(
        fmt::format("focal_cross_entropy: {{gamma: {}, alpha: {}, label_smoothing: {}}}", o[0], o[1], o[2]),
        "test", "."));
    const auto z = h5.read_floats(at + "logits");
    const auto label = h5.read_ints(at + "label");
    const std::vector<std::int32_t> labels(label.begin(), label.end());
    std::vector<float> losses(10), gradient(70), probabilities(70);
    loss->evaluate(z.data(), labels.data(), 10, 7, losses.data(), gradient.data(), probabilities.data());
    const auto expected = h5.read_doubles(at + "losses"), slopes = h5.read_doubles(at + "gradient");
    for (std::size_t i = 0; i < 10; ++i)
      EXPECT_NEAR(losses[i], expected[i], 2e-6 * (1 + expected[i])) << name;
    for (std::size_t i = 0; i < 70; ++i) EXPECT_NEAR(gradient[i], slopes[i], 3e-7) << name << " " << i;
  }
}

// Where a class is all but certain, 1 - p loses every digit: the loss and its gradient stay finite, and the loss is not negative.
TEST(FocalCrossEntropy, IsFiniteAtItsEnds) {
  for (const std::string gamma : {"0.5", "1", "2"}) {
    const auto loss =
        LossChoice::from(config::parse_text("focal_cross_entropy: {gamma: " + gamma + "}", "test", "."));
    const std::vector<float> z{200, 0, -200, 60, 0, 0};
    const std::vector<std::int32_t> labels{0, 2};
    std::vector<float> losses(2), gradient(6);
    for (const std::int32_t first : {0, 2}) {
      const std::vector<std::int32_t> at{first, first == 0 ? 0 : 1};
      loss->evaluate(z.data(), at.data(), 2, 3, losses.data(), gradient.data(), nullptr);
      for (const float v : losses) EXPECT_TRUE(std::isfinite(v) && v >= 0) << gamma << " " << v;
      for (const float v : gradient) EXPECT_TRUE(std::isfinite(v)) << gamma;
    }
  }
}

TEST(Schedules, FollowKeras) {
  for (const auto& [name, yaml] : std::vector<std::pair<std::string, std::string>>{
           {"exponential", "exponential: {decay_epochs: 10, decay_rate: 0.5}"},
           {"exponential_staircase", "exponential: {decay_epochs: 3, decay_rate: 0.7, staircase: true}"},
           {"cosine", "cosine: {alpha: 0.1}"},
           {"cosine_restarts", "cosine: {epochs: 3, t_mul: 2, m_mul: 0.8, alpha: 0.05}"},
           {"cosine_even_restarts", "cosine: {epochs: 5, t_mul: 1}"}}) {
    const auto o =
        options_of("{epochs: 20, optimizer: {adam: {learning_rate: 0.5}}, schedule: {" + yaml + "}}");
    const auto expected = golden().read_doubles("/schedules/" + name);
    ASSERT_EQ(expected.size(), 80u);
    for (std::size_t s = 0; s < expected.size(); ++s)
      ASSERT_NEAR(rate_of(o, std::int64_t(s), 4, {}), 0.5 * expected[s], 1e-6) << name << ", step " << s;
  }
}

TEST(Schedules, StepAndOneCycleFollowTheirFormulas) {
  const auto step = options_of(
      "{epochs: 20, optimizer: {sgd: {learning_rate: 1}}, schedule: {step: {every: 2.5, factor: 0.5}}}");
  EXPECT_EQ(rate_of(step, 0, 4, {}), 1);
  EXPECT_EQ(rate_of(step, 9, 4, {}), 1);
  EXPECT_EQ(rate_of(step, 10, 4, {}), 0.5);
  EXPECT_EQ(rate_of(step, 79, 4, {}), std::pow(0.5, 7));
  const auto cycle =
      options_of("{epochs: 20, optimizer: {sgd: {learning_rate: 1}}, schedule: {one_cycle: {rise: 0.25}}}");
  EXPECT_NEAR(rate_of(cycle, 0, 4, {}), 1 / 25.0, 1e-12);
  EXPECT_NEAR(rate_of(cycle, 10, 4, {}), (1 + 1 / 25.0) / 2, 1e-12);  // half of the rise
  EXPECT_NEAR(rate_of(cycle, 20, 4, {}), 1, 1e-12);
  EXPECT_NEAR(rate_of(cycle, 50, 4, {}), (1 + 1 / 25e4) / 2, 1e-12);  // half of the fall
  for (std::int64_t s = 21; s < 80; ++s) EXPECT_LT(rate_of(cycle, s, 4, {}), rate_of(cycle, s - 1, 4, {}));
}

TEST(Schedules, APlateauFollowsKeras) {
  const auto h5 = golden();
  for (const auto& [name, yaml] : std::vector<std::pair<std::string, std::string>>{
           {"usual", "factor: 0.5, patience: 3"},
           {"cooldown", "factor: 0.1, patience: 2, cooldown: 2, min_delta: 0"},
           {"least", "factor: 0.3, patience: 2, min_factor: 0.05"},
           {"accuracy", "monitor: val_accuracy, factor: 0.5, patience: 3, min_delta: 0.02"}}) {
    const auto o =
        options_of("{optimizer: {sgd: {learning_rate: 1}}, schedule: {reduce_on_plateau: {" + yaml + "}}}");
    const auto values = h5.read_doubles("/plateau/" + name + "/monitored"),
               rates = h5.read_doubles("/plateau/" + name + "/rates");
    History h;
    for (std::size_t e = 0; e <= values.size(); ++e) {
      ASSERT_NEAR(rate_of(o, std::int64_t(e) * 4, 4, h), rates[e], 1e-6) << name << ", epoch " << e;
      if (e < values.size()) h.val_loss.push_back(values[e]), h.val_accuracy.push_back(values[e]);
    }
  }
}

TEST(Schedules, AWarmUpRisesEvenlyAndTheScheduleBeginsAfterIt) {
  const auto o = options_of(
      "{epochs: 12, optimizer: {sgd: {learning_rate: 0.8}}, warmup_epochs: 2, schedule: {step: {every: 3, "
      "factor: 0.5}}}");
  for (std::int64_t s = 0; s < 8; ++s) EXPECT_NEAR(rate_of(o, s, 4, {}), 0.8 * double(s + 1) / 8, 1e-12);
  EXPECT_EQ(rate_of(o, 8, 4, {}), 0.8);
  EXPECT_EQ(rate_of(o, 19, 4, {}), 0.8);
  EXPECT_EQ(rate_of(o, 20, 4, {}), 0.4);
  EXPECT_EQ(rate_of(options_of("{optimizer: {sgd: {learning_rate: 0.8}}}"), 7, 4, {}), 0.8);
}

TEST(Schedules, AreInADumpOnlyWhereTheyAreAskedFor) {
  const auto dump = [](const std::string& yaml) {
    return config::to_yaml(schema(config::of<TrainingOptions>{}).dump(options_of(yaml)));
  };
  for (const auto* key : {"schedule", "warmup_epochs", "class_weights"})
    EXPECT_EQ(dump("{epochs: 3}").find(key), std::string::npos);
  const auto text = dump("{schedule: cosine, warmup_epochs: 1, class_weights: {rock: 2, jazz: 0.5}}");
  EXPECT_NE(text.find("t_mul: 2"), std::string::npos) << text;
  EXPECT_EQ(config::to_yaml(schema(config::of<TrainingOptions>{}).dump(options_of(text))), text);
}

TEST(ClassWeights, AreBalancedAsScikitLearnsAndRefusedWithTheirPlace) {
  const std::vector<std::string> names{"jazz", "pop", "rock"};
  const std::vector<std::int32_t> labels{0, 1, 1, 1, 2, 2};
  const auto of = [&](const std::string& yaml) {
    return weights_of(*options_of("{class_weights: " + yaml + "}").class_weights, names, labels);
  };
  EXPECT_EQ(of("balanced"), (std::vector<float>{2, float(2 / 3.0), 1}));
  EXPECT_EQ(of("{pop: 3, jazz: 0}"), (std::vector<float>{0, 3, 1}));
  EXPECT_EQ(refusal([&] {
              of("{rok: 2}");
            }).find("training.class_weights: there is no class 'rok'; did you mean 'rock'?"),
            0u)
      << refusal([&] { of("{rok: 2}"); });
  EXPECT_NE(
      refusal([&] { of("even"); }).find("must be balanced, or a map from classes to weights, not 'even'"),
      std::string::npos);
  EXPECT_NE(refusal([&] {
              of("{rock: -1}");
            }).find("a.yaml:1:24: training.class_weights.rock: must be between 0 and 1000000"),
            std::string::npos)
      << refusal([&] { of("{rock: -1}"); });
}

// Weights of 2 are the same as each segment twice; and they are in the loss that the metrics tell, not in the evaluation.
TEST(ClassWeights, MultiplyLossAndGradientOfTheirClass) {
  const ConformanceCase c{"", "[flatten, dense: {units: classes, activation: softmax}]", {4, 3}};
  const ConformanceSetup setup(c);
  const auto make = [&](std::vector<float> weights) {
    auto s = make_cpu_step({&setup.model, setup.loss.get(), setup.optimizer.get(), 8, 5, std::move(weights)},
                           const_cast<ThreadPool&>(setup.pool));
    s->bind(setup.data, setup.labels.data());
    return s;
  };
  const std::vector<std::int32_t> rows{0, 1, 2, 3, 4, 5, 6, 7};
  const auto plain = make({}), ones = make({1, 1, 1, 1}), none = make({0, 0, 0, 0}),
             twice = make({2, 2, 2, 2});
  for (auto* s : {plain.get(), ones.get(), none.get(), twice.get()}) s->train(rows);
  EXPECT_EQ(plain->export_weights(), ones->export_weights());
  const auto loss = [](TrainingStep& s) { return s.metrics(false).loss(); };
  EXPECT_EQ(loss(*none), 0);
  EXPECT_NEAR(loss(*twice), 2 * loss(*plain), 1e-6);
  const auto g = plain->trace(8).gradients, double_g = twice->trace(8).gradients;
  for (std::size_t i = 0; i < g.size(); ++i) ASSERT_EQ(double_g[i], 2 * g[i]);
  EXPECT_EQ(none->evaluate(rows).loss > 0, true);
}

TEST(SpecAugment, HidesStripesOfEveryWidthAndPlace) {
  const auto augment = SpecAugment::of({2, 5, 1, 3}, 7, 20, 8);
  std::array<std::int64_t, 6> widths{};
  std::array<std::int64_t, 20> places{};
  const std::int64_t rows = 20000;
  for (std::int64_t r = 0; r < rows; ++r)
    for (std::int32_t m = 0; m < augment.masks(); ++m) {
      const auto s = augment.stripe(r, m, 3);
      const std::int32_t extent = m < 2 ? 20 : 8, most = m < 2 ? 5 : 3;
      ASSERT_TRUE(s.first >= 0 && s.first <= s.end && s.end <= extent && s.end - s.first <= most);
      if (m == 0) ++widths[std::size_t(s.end - s.first)];
      if (m == 0 && s.end - s.first == 1) ++places[std::size_t(s.first)];
    }
  for (const auto n : widths) EXPECT_NEAR(double(n) / double(rows), 1 / 6.0, 0.012);
  for (const auto n : places) EXPECT_NEAR(double(n) / double(widths[1]), 1 / 20.0, 0.02);
}

// What training sees has the stripes; what evaluation sees has none; another step has others, and the same step has the same.
TEST(SpecAugment, IsForTrainingAloneAndFollowsFromTheStep) {
  ConformanceCase c{
      "", "[flatten, dense: {units: classes, activation: softmax}]", {9, 7}, "sgd: {learning_rate: 1e-30}"};
  const ConformanceSetup plain(c);
  c.options.spec_augment = SpecAugmentOptions{1, 4, 1, 3};
  const ConformanceSetup augmented(c);
  const auto make = [](const ConformanceSetup& setup) {
    return const_cast<ConformanceSetup&>(setup).step("cpu");
  };
  const std::vector<std::int32_t> rows{0, 1, 2, 3, 4, 5, 6, 7};
  const auto a = make(augmented), b = make(augmented), p = make(plain);
  const auto gradient = [&](TrainingStep& s) {
    s.train(rows);
    return s.trace(8).gradients;
  };
  const auto first = gradient(*a), second = gradient(*a), again = gradient(*b);
  EXPECT_NE(first, second);
  EXPECT_EQ(first, again);
  EXPECT_NE(first, gradient(*p));
  EXPECT_EQ(a->evaluate(rows).probabilities, p->evaluate(rows).probabilities);
}

TEST(SpecAugment, IsRefusedWhereItMakesNoSense) {
  const auto why = [](SpecAugmentOptions o, const Shape& shape, bool standardised) {
    return refusal([&] { require_fitting({.spec_augment = o}, shape, standardised); });
  };
  EXPECT_EQ(why({}, {130, 64}, true), "no error");
  EXPECT_NE(why({}, {130, 64}, false).find("set features.standardise: true"), std::string::npos);
  EXPECT_EQ(why({1, 130, 1, 4}, {130, 64}, true),
            "augmentation.spec_augment.time_width: 130 frames leave nothing of a segment of 130");
  EXPECT_EQ(why({1, 20, 1, 13}, {130, 13}, true),
            "augmentation.spec_augment.frequency_width: 13 coefficients leave nothing of 13");
}

TEST(Mixup, DrawsSharesOfItsDistributionAndAnOrderOfTheBatch) {
  for (const double alpha : {0.2, 1.0, 4.0}) {
    double sum = 0, square = 0, n = 0;
    std::int64_t partners = 0;
    for (std::int64_t step = 0; step < 400; ++step) {
      const auto m = draw_mixture({alpha}, 7, step, 50);
      auto order = m.partner;
      std::sort(order.begin(), order.end());
      for (std::int32_t i = 0; i < 50; ++i) ASSERT_EQ(order[std::size_t(i)], i);
      partners += m.partner[0];
      for (const float s : m.share) {
        ASSERT_TRUE(s >= 0 && s <= 1);
        sum += double(s), square += double(s) * double(s), ++n;
      }
    }
    const double mean = sum / n, variance = square / n - mean * mean;
    EXPECT_NEAR(mean, 0.5, 0.01);
    EXPECT_NEAR(variance, 1 / (4 * (2 * alpha + 1)), 0.004) << alpha;  // of Beta(alpha, alpha)
    EXPECT_NEAR(double(partners) / 400, 24.5, 2.5);
  }
  const auto a = draw_mixture({0.2}, 7, 3, 8), b = draw_mixture({0.2}, 7, 3, 8),
             c = draw_mixture({0.2}, 7, 4, 8);
  EXPECT_EQ(a.share, b.share);
  EXPECT_EQ(a.partner, b.partner);
  EXPECT_NE(a.share, c.share);
  for (const float s : draw_mixture({1e-4}, 7, 0, 100).share) EXPECT_TRUE(s < 1e-3f || s > 1 - 1e-3f) << s;
}

// Loss, accuracy and gradient are those of the soft labels, which sum to one, with what each loss makes of a target.
TEST(Mixup, IsTheLossOfSoftLabels) {
  const ConformanceCase c{"",
                          "[flatten, dense: {units: classes, activation: softmax}]",
                          {4, 3},
                          "sgd: {learning_rate: 1}",
                          "cross_entropy: {label_smoothing: 0.2}",
                          {},
                          {.class_weights = {0.5f, 2, 1, 3}, .mixup = MixupOptions{1}}};
  ConformanceSetup setup(c);
  const auto step = setup.step("cpu", 5, 8);
  const std::vector<std::int32_t> rows{3, 1, 2, 0, 4, 9, 6, 7};
  const auto before = step->export_weights();
  step->train(rows);
  const auto mixture = draw_mixture({1}, 5, 0, 8);
  const auto &kernel = setup.model.parameters()[0], &bias = setup.model.parameters()[1];
  std::vector<double> gradient(12 * 4), bias_gradient(4);
  double loss = 0;
  std::int64_t right = 0;
  const double weights[] = {0.5, 2, 1, 3};
  for (std::size_t r = 0; r < 8; ++r) {
    const auto own = std::size_t(rows[r]), other = std::size_t(rows[std::size_t(mixture.partner[r])]);
    const double share = mixture.share[r];
    double x[12], z[4], sum = 0, target[4], together = 0;
    for (std::size_t i = 0; i < 12; ++i)
      x[i] = share * setup.x[own * 12 + i] + (1 - share) * setup.x[other * 12 + i];
    for (std::size_t k = 0; k < 4; ++k) {
      z[k] = before[std::size_t(bias.offset) + k];
      for (std::size_t i = 0; i < 12; ++i) z[k] += x[i] * before[std::size_t(kernel.offset) + i * 4 + k];
      sum += std::exp(z[k]);
    }
    const double w[] = {share * weights[setup.labels[own]], (1 - share) * weights[setup.labels[other]]};
    for (std::int32_t k = 0; k < 4; ++k) {
      target[k] =
          w[0] * (0.05 + 0.8 * (k == setup.labels[own])) + w[1] * (0.05 + 0.8 * (k == setup.labels[other]));
      together += target[k];
      loss -= target[k] * (z[k] - std::log(sum));
    }
    EXPECT_NEAR(together, w[0] + w[1], 1e-12);
    const auto label = share < 0.5 ? setup.labels[other] : setup.labels[own];
    right += std::max_element(z, z + 4) - z == label;
    for (std::size_t k = 0; k < 4; ++k) {
      const double dz = (together * std::exp(z[k]) / sum - target[k]) / 8;
      bias_gradient[k] += dz;
      for (std::size_t i = 0; i < 12; ++i) gradient[i * 4 + k] += x[i] * dz;
    }
  }
  const auto m = step->metrics(true);
  EXPECT_NEAR(m.loss(), loss / 8, 1e-6);
  EXPECT_EQ(m.correct, right);
  const auto t = step->trace(8);
  for (std::size_t i = 0; i < gradient.size(); ++i)
    EXPECT_NEAR(t.gradients[std::size_t(kernel.offset) + i], gradient[i], 1e-6);
  for (std::size_t k = 0; k < 4; ++k)
    EXPECT_NEAR(t.gradients[std::size_t(bias.offset) + k], bias_gradient[k], 1e-6);
}

TEST(Augmentation, HasASpellingByRoomAndAShortOneForSpecAugment) {
  const auto of = [](const std::string& yaml) {
    const auto node = config::parse_text(yaml, "a.yaml", ".");
    return schema(config::of<AugmentationOptions>{}).parse(config::Reader(node, "augmentation"));
  };
  for (const auto* yaml :
       {"{spec_augment: {time_width: 9}}", "{features: {spec_augment: {time_width: 9}}}"}) {
    const auto all = of(yaml).of_features();
    ASSERT_TRUE(all.spec_augment) << yaml;
    EXPECT_EQ(all.spec_augment->time_width, 9);
    EXPECT_FALSE(all.mixup);
  }
  EXPECT_EQ(of("{features: {mixup: {alpha: 0.5}}}").of_features().mixup->alpha, 0.5);
  EXPECT_EQ(refusal([&] { of("{spec_augment: {}, features: {spec_augment: {}}}"); }),
            "a.yaml:1:1: augmentation: says spec_augment twice: at its short place, and in features");
  EXPECT_EQ(
      refusal([&] { of("{features: {mixup: {alpha: 0}}}"); }),
      "a.yaml:1:28: augmentation.features.mixup.alpha: must be greater than 0 and at most 1000, not '0'");
  const auto options = of("{features: {spec_augment: {}}}");
  EXPECT_NE(refusal([&] {
              require_fitting(options, {130, 64}, false);
            }).find("augmentation.features.spec_augment: hides values by 0"),
            std::string::npos);
}

}  // namespace
}  // namespace timbre::training
