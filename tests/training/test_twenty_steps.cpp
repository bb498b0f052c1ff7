#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "hashed.hpp"
#include "storage/hdf5.hpp"
#include "training/step.hpp"

namespace timbre::training {
namespace {

constexpr std::int64_t classes = 10, batch = 20, steps = 20;

struct Case {
  const char *name, *model, *optimizer, *loss;
  double l1, l2;
  const char* file = "keras_training.h5";
};

void PrintTo(const Case& c, std::ostream* out) { *out << c.name; }

// The value of element i of a parameter, as keras_training.py sets it.
std::vector<float> initial(const nn::ParameterSpec& spec, std::uint32_t salt) {
  const auto& e = spec.shape.extents();
  const auto n = std::size_t(spec.shape.size());
  if (spec.name.ends_with("kernel")) {
    double window = 1;
    for (std::size_t i = 0; i + 2 < e.size(); ++i) window *= double(e[i]);
    return test::hashed_values(n, salt,
                               float(std::sqrt(6.0 / (window * double(e[e.size() - 2] + e.back())))));
  }
  if (spec.name == "moving_mean") return std::vector<float>(n, 0.0f);
  if (spec.name == "moving_variance") return std::vector<float>(n, 1.0f);
  if (spec.name == "gamma") {
    auto v = test::hashed_values(n, salt, 0.1f);
    for (auto& x : v) x += 1;
    return v;
  }
  return test::hashed_values(n, salt, 0.05f);
}

class TwentySteps : public testing::TestWithParam<Case> {};

TEST_P(TwentySteps, FollowKerasInFloat64) {
  const auto& c = GetParam();
  const auto model_node = config::parse_text(c.model, "model", ".");
  nn::Regularisation regularisation;
  regularisation.l1 = c.l1, regularisation.l2 = c.l2;
  const auto model =
      nn::Model::parse(config::Reader(model_node, "model"), Shape{130, 13}, classes, regularisation);
  const auto optimizer_node = config::parse_text(c.optimizer, "optimizer", "."),
             loss_node = config::parse_text(c.loss, "loss", ".");
  const auto optimizer = OptimizerChoice::from(optimizer_node);
  const auto loss = LossChoice::from(loss_node);

  const auto size = model.input().size();
  const auto x = test::hashed_values(std::size_t(steps * batch * size), 77, 1.5f);
  std::vector<std::int32_t> y(steps * batch);
  for (std::size_t i = 0; i < y.size(); ++i) y[i] = std::int32_t(i * 7 % classes);

  ThreadPool pool(2);
  const auto step = make_cpu_step({&model, loss.get(), optimizer.get(), batch, 1}, pool);
  const data::MemoryRows rows(x.data(), steps * batch, size);
  step->bind(rows, y.data());
  auto state = step->export_state();
  for (std::size_t l = 0; l < model.layers().size(); ++l)
    for (std::size_t k = 0; k < model.layers()[l].parameters.size(); ++k) {
      const auto& parameter = model.parameters()[std::size_t(model.layers()[l].parameters[k])];
      const auto v = initial(parameter.spec, std::uint32_t(1000 * l + k));
      std::copy(v.begin(), v.end(), state.arena.begin() + parameter.offset);
    }
  step->import_state(state);
  const auto start = state.arena;

  const auto h5 = storage::H5File::open(std::string(TIMBRE_TEST_DATA) + "/" + c.file);
  const auto losses = h5.read_doubles(std::string("/") + c.name + "/losses");
  for (std::int64_t s = 0; s < steps; ++s) {
    std::vector<std::int32_t> rows(batch);
    std::iota(rows.begin(), rows.end(), std::int32_t(s * batch));
    step->train(rows);
    EXPECT_NEAR(step->metrics(true).loss(), losses[std::size_t(s)], 1e-4 * losses[std::size_t(s)])
        << "step " << s + 1;
  }
  state = step->export_state();
  int k = 0;
  for (const auto& layer : model.layers())
    for (const int index : layer.parameters) {
      const auto& parameter = model.parameters()[std::size_t(index)];
      const auto path = fmt::format("/{}/w{}", c.name, k++);
      const auto expected = h5.read_doubles(path);
      const auto stride = h5.int_attribute(path, "stride");
      double largest = 0, worst = 0, moved = 0;
      for (std::size_t i = 0; i < expected.size(); ++i) {
        const auto at = std::size_t(parameter.offset + std::int64_t(i) * stride);
        largest = std::max(largest, std::abs(expected[i]));
        moved = std::max(moved, std::abs(expected[i] - double(start[at])));
        worst = std::max(worst, std::abs(expected[i] - double(state.arena[at])));
      }
      EXPECT_LE(worst, 1e-4 * largest)
          << layer.name << "." << parameter.spec.name << ": relative " << worst / largest;
      EXPECT_LE(worst, 0.02 * moved + 1e-6 * largest)
          << layer.name << "." << parameter.spec.name << ": of the update " << worst / moved;
    }
}

INSTANTIATE_TEST_SUITE_P(
    All, TwentySteps,
    testing::Values(
        Case{"mlp",
             "[flatten, dense: {units: 512, activation: relu}, dense: {units: 256, activation: "
             "relu}, dense: {units: 64, activation: relu}, dense: {units: classes, activation: softmax}]",
             "adam", "cross_entropy: {label_smoothing: 0.1}", 0, 0},
        Case{"cnn",
             "[conv2d: {filters: 32, kernel_size: 3, activation: relu}, max_pooling2d: "
             "{pool_size: 3, strides: 2, padding: same}, batch_normalization, conv2d: {filters: 32, "
             "kernel_size: 3, activation: "
             "relu}, max_pooling2d: {pool_size: 3, strides: 2, padding: same}, batch_normalization, conv2d: "
             "{filters: 32, "
             "kernel_size: 2, activation: relu}, max_pooling2d: {pool_size: 2, padding: same}, "
             "batch_normalization, flatten, dense: "
             "{units: 64, activation: relu}, dense: {units: classes, activation: softmax}]",
             "sgd: {learning_rate: 3e-5}", "cross_entropy", 1e-5, 1e-3},
        Case{"lstm",
             "[lstm: {units: 128, return_sequences: true}, lstm: {units: 128}, dense: {units: "
             "64, activation: relu}, dense: {units: 32, activation: relu}, dense: {units: classes, "
             "activation: softmax}]",
             "adam", "cross_entropy", 0, 0},
        Case{"gru",
             "[gru: {units: 64, return_sequences: true}, gru: {units: 64}, dense: {units: 32, activation: "
             "relu}, "
             "dense: {units: classes, activation: softmax}]",
             "adam", "cross_entropy", 0, 0, "keras_training_recurrent.h5"},
        Case{
            "crnn",
            "[conv2d: {filters: 8, kernel_size: 3, padding: same, activation: elu}, batch_normalization: "
            "{momentum: 0.9}, "
            "average_pooling2d, reshape: {target_shape: [-1, 48]}, gru: {units: 16, return_sequences: true}, "
            "layer_normalization, bidirectional: {layer: {lstm: {units: 8, return_sequences: true}}}, "
            "global_average_pooling1d, dense: {units: classes, activation: softmax}]",
            "adam", "cross_entropy", 0, 0, "keras_training_recurrent.h5"},
        Case{"residual",
             "[conv2d: {filters: 6, kernel_size: 3, padding: same, activation: tanh}, residual: {layers: "
             "[conv2d: "
             "{filters: 8, kernel_size: 3, strides: 2, padding: same, use_bias: false}, batch_normalization: "
             "{momentum: "
             "0.9}, activation: tanh, conv2d: {filters: 8, kernel_size: 3, padding: same, use_bias: false}, "
             "batch_normalization: {momentum: 0.9}], activation: tanh}, residual: {layers: [conv2d: "
             "{filters: 8, "
             "kernel_size: 3, padding: same, activation: elu}, conv2d: {filters: 8, kernel_size: 3, padding: "
             "same}], "
             "activation: linear}, global_average_pooling2d, dense: {units: classes, activation: softmax}]",
             "adam", "cross_entropy", 0, 0, "keras_training_residual.h5"}),
    [](const auto& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace timbre::training
