// Gradient clipping, the moving average of the weights and frozen layers: Keras's values, and what is refused.
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "core/error.hpp"
#include "hashed.hpp"
#include "storage/hdf5.hpp"
#include "training/trainer.hpp"

namespace timbre::training {
namespace {

TrainingOptions options_of(const std::string& yaml) {
  const auto node = config::parse_text(yaml, "a.yaml", ".");
  return schema(config::of<TrainingOptions>{}).parse(config::Reader(node, "training"));
}

std::unique_ptr<TrainingStep> step_of(const nn::Model& model, const TrainingOptions& o, std::int64_t batch,
                                      ThreadPool& pool) {
  return make_cpu_step({.model = &model,
                        .loss = o.loss.get(),
                        .optimizer = o.optimizer.get(),
                        .batch_size = batch,
                        .seed = 1,
                        .clipping = o.gradient_clipping,
                        .average = o.ema},
                       pool);
}

struct Case {
  const char *name, *yaml;
  const char* model =
      "[dense: {units: 5, activation: tanh, kernel_regulariser: {l1: 0.01, l2: 0.02}}, dense: {units: "
      "classes, activation: softmax}]";
  std::vector<std::string> freeze = {};
};
void PrintTo(const Case& c, std::ostream* out) { *out << c.name; }

class ClippingAndAverage : public testing::TestWithParam<Case> {};

TEST_P(ClippingAndAverage, FollowKerasStepByStep) {
  constexpr std::int64_t steps = 12, batch = 8, inputs = 6, classes = 3;
  const auto node = config::parse_text(GetParam().model, "model", ".");
  auto model = nn::Model::parse(config::Reader(node, "model"), Shape{inputs}, classes, {});
  model.freeze(GetParam().freeze);
  const auto options = options_of(GetParam().yaml);
  ThreadPool pool(2);
  const auto step = step_of(model, options, batch, pool);
  const auto x = test::hashed_values(steps * batch * inputs, 77, 2);
  std::vector<std::int32_t> y(steps * batch);
  for (std::size_t i = 0; i < y.size(); ++i) y[i] = std::int32_t(i * 7 % classes);
  const data::MemoryRows data(x.data(), steps * batch, inputs);
  step->bind(data, y.data());
  auto state = step->export_state();
  for (std::size_t k = 0; k < model.parameters().size(); ++k) {
    const auto& p = model.parameters()[k];
    auto v = test::hashed_values(std::size_t(p.spec.shape.size()), std::uint32_t(10 + k));
    if (p.spec.name == "moving_variance")
      for (auto& x : v) x = std::abs(x) + 0.5f;
    std::copy(v.begin(), v.end(), state.arena.begin() + p.offset);
  }
  step->import_state(state);
  const auto start = state.arena;

  const auto h5 = storage::H5File::open(TIMBRE_TEST_DATA "/keras_clipping_and_average.h5");
  const auto at = std::string("/") + GetParam().name + "/";
  const auto norm = h5.read_doubles(at + "norm"), loss = h5.read_doubles(at + "loss"),
             weights = h5.read_doubles(at + "weights");
  const auto average = options.ema ? h5.read_doubles(at + "average") : std::vector<double>{};
  const auto compare = [&](const std::vector<float>& values, const std::vector<double>& expected,
                           std::int64_t s, const char* what) {
    auto e = std::size_t(s) * expected.size() / std::size_t(steps);
    for (const auto& p : model.parameters())
      for (std::int64_t i = 0; i < p.spec.shape.size(); ++i)
        ASSERT_NEAR(values[std::size_t(p.offset + i)], expected[e++], 2e-6) << what << ", step " << s + 1;
  };
  for (std::int64_t s = 0; s < steps; ++s) {
    std::vector<std::int32_t> rows(batch);
    std::iota(rows.begin(), rows.end(), std::int32_t(s * batch));
    step->train(rows);
    const auto m = step->metrics(true);
    EXPECT_NEAR(m.loss(), loss[std::size_t(s)], 2e-6);
    EXPECT_NEAR(m.gradient_norm_sum, options.gradient_clipping ? norm[std::size_t(s)] : 0, 2e-6);
    compare(step->export_state().arena, weights, s, "weights");
    if (options.ema) compare(step->export_weights(), average, s, "average");
  }
  const auto end = step->export_state().arena;
  for (const auto& p : model.parameters()) {
    if (!model.layers()[std::size_t(p.layer)].frozen) continue;
    const auto same = [&](std::int64_t i) { return end[std::size_t(i)] == start[std::size_t(i)]; };
    for (std::int64_t i = 0; i < p.spec.shape.size(); ++i) EXPECT_TRUE(same(p.offset + i)) << p.spec.name;
  }
}

INSTANTIATE_TEST_SUITE_P(
    All, ClippingAndAverage,
    testing::Values(
        Case{"plain", "{optimizer: {sgd: {learning_rate: 0.1}}}"},
        Case{"plain", "{optimizer: {sgd: {learning_rate: 0.1}}, gradient_clipping: {}}"},
        Case{"value", "{optimizer: {sgd: {learning_rate: 0.1}}, gradient_clipping: {value: 0.05}}"},
        Case{"norm",
             "{optimizer: {sgd: {learning_rate: 0.1, momentum: 0.9}}, gradient_clipping: {norm: 0.2}}"},
        Case{
            "global_norm",
            "{optimizer: {sgd: {learning_rate: 0.1, momentum: 0.9}}, gradient_clipping: {global_norm: 0.3}}"},
        Case{"adam_global_norm",
             "{optimizer: {adam: {learning_rate: 0.02, epsilon: 1e-3}}, gradient_clipping: {global_norm: "
             "0.4}}"},
        Case{"average", "{optimizer: {sgd: {learning_rate: 0.1}}, ema: {momentum: 0.8}}"},
        Case{"overwritten",
             "{optimizer: {adam: {learning_rate: 0.02, epsilon: 1e-3}}, ema: {momentum: 0.9, "
             "overwrite_frequency: 5}}"},
        Case{
            "both",
            "{optimizer: {sgd: {learning_rate: 0.1}}, gradient_clipping: {global_norm: 0.3}, ema: {momentum: "
            "0.9, overwrite_frequency: 4}}"},
        Case{"frozen",
             "{optimizer: {sgd: {learning_rate: 0.1, momentum: 0.9}}, gradient_clipping: {}}",
             "[dense: {units: 6, activation: tanh}, batch_normalization, dense: {units: 5, activation: tanh, "
             "kernel_regulariser: {l1: 0.01, l2: 0.02}}, dense: {units: 4, activation: tanh}, "
             "batch_normalization: {momentum: 0.8}, dense: {units: classes, activation: softmax}]",
             {"batch_normalization", "dense_1"}}));

TEST(Freeze, NamesWhatIsNotThereAndLeavesSomethingToTrain) {
  const auto node =
      config::parse_text("[dense: 5, dense: {units: classes, activation: softmax}]", "model", ".");
  const auto refusal = [&](const std::vector<std::string>& names) -> std::string {
    auto model = nn::Model::parse(config::Reader(node, "model"), Shape{3}, 3, {});
    try {
      model.freeze(names);
    } catch (const RequestError& e) {
      return e.what();
    }
    return "no error";
  };
  EXPECT_EQ(refusal({"dense", "dens_1"}),
            "freeze: there is no layer 'dens_1'; did you mean 'dense_1'?; layers: dense, dense_1");
  EXPECT_EQ(refusal({"dense_1", "dense"}), "freeze: leaves nothing to train");
  EXPECT_EQ(refusal({"dense"}), "no error");
}

// Of a network whose kernel is cut into pieces.
TEST(GradientClipping, GivesTheSameBytesOnAnyNumberOfThreads) {
  const auto node = config::parse_text(
      "[dense: {units: 700, activation: relu}, dense: {units: classes, activation: softmax}]", "model", ".");
  const auto model = nn::Model::parse(config::Reader(node, "model"), Shape{300}, 3, {});
  const auto x = test::hashed_values(16 * 300, 3);
  const std::vector<std::int32_t> y{0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2, 0};
  const data::MemoryRows data(x.data(), 16, 300);
  for (const auto* clipping : {"{value: 0.001}", "{norm: 0.1}", "{global_norm: 0.1}"}) {
    const auto options =
        options_of(fmt::format("{{gradient_clipping: {}, ema: {{momentum: 0.5}}}}", clipping));
    std::vector<StepState> states;
    for (const int threads : {1, 2, 4}) {
      ThreadPool pool(threads);
      const auto step = step_of(model, options, 8, pool);
      step->bind(data, y.data());
      for (const std::int32_t first : {0, 8}) {
        std::vector<std::int32_t> rows(8);
        std::iota(rows.begin(), rows.end(), first);
        step->train(rows);
      }
      states.push_back(step->export_state());
    }
    EXPECT_GT(states[0].metrics.gradient_norm_sum, 0.2);
    for (const auto& s : states) {
      EXPECT_EQ(s.arena, states[0].arena) << clipping;
      EXPECT_EQ(s.average, states[0].average);
      EXPECT_EQ(s.metrics.gradient_norm_sum, states[0].metrics.gradient_norm_sum);
    }
  }
}

TEST(GradientClipping, IsRefusedWhereItMakesNoSense) {
  const auto why = [](const std::string& yaml) -> std::string {
    try {
      options_of(yaml);
    } catch (const RequestError& e) {
      return e.what();
    }
    return "no error";
  };
  EXPECT_EQ(why("{gradient_clipping: {norm: 1, value: 2}}"),
            "a.yaml:1:21: training.gradient_clipping: takes one of value, norm and global_norm");
  EXPECT_EQ(
      why("{gradient_clipping: {norm: 0}}"),
      "a.yaml:1:28: training.gradient_clipping.norm: must be greater than 0 and at most 1e+30, not '0'");
  EXPECT_EQ(why("{ema: {momentum: 1}}"),
            "a.yaml:1:18: training.ema.momentum: must be at least 0 and less than 1, not '1'");
  EXPECT_EQ(why("{ema: {overwrite_frequency: 0}}"),
            "a.yaml:1:29: training.ema.overwrite_frequency: must be at least 1, not '0'");
  EXPECT_EQ(why("{gradient_clipping: {}, ema: {}}"), "no error");
}

}  // namespace
}  // namespace timbre::training
