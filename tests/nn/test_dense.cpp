#include "layer_harness.hpp"

namespace timbre::nn::testing {
namespace {

TEST(Dense, FollowsKerasInDouble) {
  const auto cases = golden_cases("keras_dense.h5");
  EXPECT_GE(cases.size(), 17u);
  for (const auto& name : cases) expect_golden("keras_dense.h5", name);
}

TEST(Dense, InfersShapesAndParameters) {
  const auto layer = make_layer("dense: {units: 4, kernel_regulariser: {l2: 0.5}}");
  EXPECT_EQ(layer->infer({7}), (Shape{4}));
  EXPECT_EQ(layer->infer({130, 7}), (Shape{130, 4}));
  const auto specs = layer->parameters({130, 7});
  ASSERT_EQ(specs.size(), 2u);
  EXPECT_EQ(specs[0].name, "kernel");
  EXPECT_EQ(specs[0].shape, (Shape{7, 4}));
  EXPECT_EQ(specs[0].initialiser, Initialiser::glorot_uniform);
  EXPECT_TRUE(specs[0].global_penalty);
  EXPECT_EQ(specs[0].penalty->l2, 0.5);
  EXPECT_EQ(specs[1].name, "bias");
  EXPECT_EQ(specs[1].shape, (Shape{4}));
  EXPECT_FALSE(specs[1].global_penalty);
  EXPECT_EQ(make_layer("dense: {units: 4, use_bias: false}")->parameters({7}).size(), 1u);
}

TEST(Dense, TakesTheNumberOfClasses) {
  const auto layer = make_layer("dense: {units: classes, activation: softmax}", 6);
  EXPECT_EQ(layer->infer({7}), (Shape{6}));
  EXPECT_TRUE(layer->ends_in_softmax());
  EXPECT_EQ(config::to_yaml(layer->dump()),
            "dense:\n  units: classes\n  activation: softmax\n  use_bias: true\n  kernel_regulariser: ~\n");
  EXPECT_EQ(layer->keras_config()["units"], 6);
}

TEST(Dense, LeavesTheLastSoftmaxToTheLoss) {
  const auto soft = make_layer("dense: {units: 5, activation: softmax}"), plain = make_layer("dense: 5");
  LayerRun a(*soft, {3}, 4, {.logits = true}), b(*plain, {3}, 4);
  a.forward(), b.forward();
  a.backward(), b.backward();
  EXPECT_TRUE(same_bytes(a.y_rows(), b.y_rows()));
  EXPECT_TRUE(same_bytes(a.dx_rows(), b.dx_rows()));
  EXPECT_TRUE(same_bytes(a.gradients["kernel"], b.gradients["kernel"]));
}

TEST(Dense, WorksWithoutGradients) {
  const auto layer = make_layer("dense: 5");
  LayerRun a(*layer, {3}, 4, {.trained = false, .input_gradient = false}), b(*layer, {3}, 4);
  a.forward(false), b.forward();
  EXPECT_TRUE(same_bytes(a.y_rows(), b.y_rows()));
}

TEST(Dense, SumsTheBiasGradientOverManyRows) {
  const auto layer = make_layer("dense: 40");
  LayerRun one(*layer, {500, 3}, 4), four(*layer, {500, 3}, 4, {.threads = 4});
  one.forward(), four.forward();
  one.backward(), four.backward();
  std::vector<double> sum(40);
  for (std::size_t i = 0; i < one.dy.size(); ++i) sum[i % 40] += one.dy[i];
  EXPECT_LE(relative_difference(one.gradients["bias"], sum), 1e-6);
  EXPECT_TRUE(same_bytes(one.gradients["bias"], four.gradients["bias"]));
}

TEST(Dense, KeepsNanVisible) {
  for (const auto* activation : {"linear", "relu", "sigmoid", "tanh", "elu", "softmax"}) {
    const auto layer = make_layer(std::string("dense: {units: 5, activation: ") + activation + "}");
    LayerRun run(*layer, {3}, 4);
    run.x[4] = NAN;
    run.forward();
    for (int c = 0; c < 5; ++c) EXPECT_TRUE(std::isnan(run.y[std::size_t(5 + c)])) << activation;
    EXPECT_FALSE(std::isnan(run.y[0]));
  }
}

TEST(Dense, RefusesWhatItCannotDo) {
  EXPECT_EQ(
      request_error([] {
        make_layer("dense: 3")->infer({4, 5, 6});
      }),
      "needs an input of rank 1 (N,) or 2 (T, F), not (4, 5, 6); a flatten layer makes one vector of it");
  EXPECT_EQ(request_error([] { make_layer("dense: {units: 3, activation: rellu}"); }),
            "test.yaml:1:31: dense.activation: must be one of linear, relu, sigmoid, tanh, elu, softmax, "
            "leaky_relu, selu, not "
            "'rellu'");
  EXPECT_EQ(request_error([] { make_layer("dense: {units: 0}"); }),
            "test.yaml:1:16: dense.units: must be between 1 and 1000000, not '0'");
  EXPECT_NE(request_error([] { make_layer("dense: {}"); }).find("the key 'units' is missing"),
            std::string::npos);
}

}  // namespace
}  // namespace timbre::nn::testing
