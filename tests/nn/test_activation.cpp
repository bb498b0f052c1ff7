#include "layer_harness.hpp"
#include "nn/activation.hpp"

namespace timbre::nn::testing {
namespace {

// Values are compared with Keras in test_dense.cpp (the cases activation_*).

TEST(Activation, KeepsTheShapeAndNamesTheFunction) {
  const auto layer = make_layer("activation: relu");
  EXPECT_EQ(layer->infer({2, 3, 4}), (Shape{2, 3, 4}));
  EXPECT_TRUE(layer->parameters({2, 3, 4}).empty());
  EXPECT_FALSE(layer->ends_in_softmax());
  EXPECT_TRUE(make_layer("activation: softmax")->ends_in_softmax());
  EXPECT_EQ(config::to_yaml(layer->dump()), "activation:\n  activation: relu\n");
  EXPECT_NE(request_error([] { make_layer("activation: swish"); }).find("must be one of linear, relu"),
            std::string::npos);
}

TEST(Activation, LeavesTheLastSoftmaxToTheLoss) {
  const auto layer = make_layer("activation: softmax");
  LayerRun run(*layer, {6}, 3, {.logits = true});
  run.forward();
  EXPECT_TRUE(same_bytes(run.y_rows(), run.x));
}

template <class F>
double worst_units_in_last_place(float low, float high, F&& pair) {
  double worst = 0;
  for (int i = 0; i <= 200'000; ++i) {
    const float x = low + (high - low) * (float(i) / 200'000.0f);
    const auto [value, exact] = pair(x);
    const double unit = std::abs(double(std::nextafterf(float(exact), INFINITY)) - double(float(exact)));
    worst = std::max(worst, std::abs(value - exact) / unit);
  }
  return worst;
}

TEST(Activation, FunctionsAreExactToAFewUnitsInTheLastPlace) {
  struct Both {
    double value, exact;
  };
  const auto s = [](float x) { return Both{sigmoid(x), 1 / (1 + std::exp(-double(x)))}; };
  const auto t = [](float x) { return Both{hyperbolic_tangent(x), std::tanh(double(x))}; };
  const auto e = [](float x) { return Both{exponential(x), std::exp(double(x))}; };
  const auto m = [](float x) { return Both{exponential_minus_1(x), std::expm1(double(x))}; };
  EXPECT_LE(worst_units_in_last_place(-80, 80, s), 3);
  EXPECT_LE(worst_units_in_last_place(-12, 12, t), 3);
  EXPECT_LE(worst_units_in_last_place(-0.01f, 0.01f, t), 3);
  EXPECT_LE(worst_units_in_last_place(-86, 87, e), 3);
  EXPECT_LE(worst_units_in_last_place(-2, 2, m), 3);
}

TEST(Activation, FunctionsKeepTheirLimits) {
  EXPECT_EQ(sigmoid(INFINITY), 1.0f);
  EXPECT_LT(sigmoid(-INFINITY), 1e-37f);
  EXPECT_EQ(sigmoid(0.0f), 0.5f);
  EXPECT_EQ(hyperbolic_tangent(INFINITY), 1.0f);
  EXPECT_EQ(hyperbolic_tangent(-INFINITY), -1.0f);
  EXPECT_TRUE(std::signbit(hyperbolic_tangent(-0.0f)));
  EXPECT_EQ(hyperbolic_tangent(1e-30f), 1e-30f);
  EXPECT_TRUE(std::isnan(sigmoid(NAN)) && std::isnan(hyperbolic_tangent(NAN)) &&
              std::isnan(exponential(NAN)));
}

}  // namespace
}  // namespace timbre::nn::testing
