// gru, bidirectional, 1-D convolution, poolings, layer normalisation, reshape, permute, noise and whole-channel dropout. What
// they compute is Keras's, by its golden values; what they refuse, and what is random, is tested here.
#include <numeric>

#include "layer_harness.hpp"

namespace timbre::nn::testing {
namespace {

class MoreLayers : public ::testing::TestWithParam<std::string> {};
TEST_P(MoreLayers, FollowKeras) {
  expect_golden("keras_more_layers.h5", GetParam(), {.forward = 2e-6, .gradient = 5e-6});
}
INSTANTIATE_TEST_SUITE_P(Golden, MoreLayers, ::testing::ValuesIn(golden_cases("keras_more_layers.h5")),
                         [](const auto& info) { return info.param; });

Shape shape_of(const char* yaml, const Shape& input) { return make_layer(yaml)->infer(input); }
std::string refused(const char* yaml, const Shape& input) {
  return request_error([&] { make_layer(yaml)->infer(input); });
}

TEST(MoreLayersShapes, AreThoseOfKeras) {
  EXPECT_EQ(shape_of("conv1d: {filters: 8, kernel_size: 3, strides: 2}", {10, 5}), (Shape{4, 8}));
  EXPECT_EQ(shape_of("conv1d: {filters: 8, kernel_size: 3, strides: 2, padding: same}", {10, 5}),
            (Shape{5, 8}));
  EXPECT_EQ(shape_of("max_pooling1d", {11, 5}), (Shape{5, 5}));
  EXPECT_EQ(shape_of("average_pooling1d: {pool_size: 3, strides: 1}", {11, 5}), (Shape{9, 5}));
  EXPECT_EQ(shape_of("average_pooling2d", {9, 8, 3}), (Shape{4, 4, 3}));
  EXPECT_EQ(shape_of("global_average_pooling1d", {11, 5}), (Shape{5}));
  EXPECT_EQ(shape_of("global_max_pooling2d", {11, 5, 3}), (Shape{3}));
  EXPECT_EQ(shape_of("global_max_pooling2d", {11, 5}), (Shape{1}));
  EXPECT_EQ(shape_of("reshape: {target_shape: [-1, 15]}", {5, 3, 2}), (Shape{2, 15}));
  EXPECT_EQ(shape_of("permute: [2, 3, 1]", {5, 3, 2}), (Shape{3, 2, 5}));
  EXPECT_EQ(shape_of("bidirectional: {layer: {gru: {units: 6, return_sequences: true}}}", {5, 3}),
            (Shape{5, 12}));
  EXPECT_EQ(shape_of("bidirectional: {layer: {lstm: 6}, merge_mode: sum}", {5, 3}), (Shape{6}));
}

TEST(MoreLayersShapes, ThatDoNotFitAreRefusedInWords) {
  EXPECT_EQ(refused("conv1d: {filters: 8, kernel_size: 12}", {10, 5}),
            "kernel 12 is longer than the sequence (10, 5); a shorter one, or padding: same");
  EXPECT_EQ(refused("max_pooling1d: {pool_size: 12}", {10, 5}),
            "pool 12 is longer than the sequence (10, 5); a shorter one, or padding: same");
  EXPECT_EQ(refused("conv1d: {filters: 8, kernel_size: 2, padding: same}", {10, 5, 2}),
            "needs an input of rank 2 (T, F), not (10, 5, 2)");
  EXPECT_EQ(refused("global_average_pooling1d", {10}), "needs an input of rank 2 (T, F), not (10,)");
  EXPECT_EQ(refused("reshape: {target_shape: [4, 4]}", {5, 3}),
            "the 15 values of (5, 3) do not fit into (4, 4)");
  EXPECT_EQ(refused("reshape: {target_shape: [-1, 4]}", {5, 3}),
            "the 15 values of (5, 3) do not fit into (-1, 4)");
  EXPECT_EQ(refused("reshape: {target_shape: [2147483648, 2147483648, 2147483648]}", {5, 3}),
            "the 15 values of (5, 3) do not fit into (2147483648, 2147483648, 2147483648)");
  EXPECT_NE(refused("reshape: {target_shape: [-1, -1]}", {5, 3}).find("only one extent may be -1"),
            std::string::npos);
  EXPECT_EQ(refused("permute: [1, 1]", {5, 3}), "dims must be an order of 1 to 2, the axes of (5, 3)");
  EXPECT_EQ(refused("spatial_dropout2d: 0.5", {5, 3}),
            "needs an input of rank 3 (height, width, channels), not (5, 3)");
  EXPECT_NE(
      refused("gru: {units: 3, reset_after: false}", {5, 3}).find("reset_after: false is not supported"),
      std::string::npos);
  EXPECT_NE(refused("bidirectional: {layer: {gru: {units: 3, go_backwards: true}}}", {5, 3})
                .find("has no place here"),
            std::string::npos);
  EXPECT_NE(refused("bidirectional: {layer: {dense: 3}}", {5, 3}).find("lstm"), std::string::npos);
  EXPECT_NE(refused("dense: {units: 3, activation: gelu}", {5}).find("must be one of linear"),
            std::string::npos);
}

TEST(SpatialDropout, DropsWholeChannels) {
  const auto layer = make_layer("spatial_dropout1d: 0.25");
  LayerRun run(*layer, {9, 400}, 3, {.index = 2, .seed = 11});
  run.forward(true, 5);
  int dropped = 0;
  for (std::size_t row = 0; row < 3; ++row)
    for (std::size_t c = 0; c < 400; ++c) {
      const auto at = [&](std::size_t t) { return (row * 9 + t) * 400 + c; };
      const bool zero = run.y[at(0)] == 0;
      dropped += zero;
      for (std::size_t t = 0; t < 9; ++t)
        ASSERT_EQ(run.y[at(t)], zero ? 0.0f : run.x[at(t)] * float(1 / 0.75));
    }
  EXPECT_NEAR(dropped / 1200.0, 0.25, 0.04);
  const auto first = run.y;
  run.forward(true, 6);
  EXPECT_NE(first, run.y) << "each step has masks of its own";
}

// Random windows in training, others in each row and step, every place as often; the middle otherwise.
TEST(RandomCrop, TakesRandomWindowsInTrainingAndTheMiddleOtherwise) {
  const auto layer = make_layer("random_crop: 4");
  LayerRun run(*layer, {9, 2}, 600, {.index = 3, .seed = 11});
  for (std::size_t i = 0; i < run.x.size(); ++i) run.x[i] = float(i);
  const auto start = [&](std::size_t row) {
    const auto first = std::size_t(run.y[row * 8]) - row * 18;
    for (std::size_t i = 0; i < 8; ++i) EXPECT_EQ(run.y[row * 8 + i], float(row * 18 + first + i));
    return first / 2;
  };
  std::vector<int> counts(6);
  run.forward(true, 5);
  for (std::size_t row = 0; row < 600; ++row) ++counts.at(start(row));
  for (const int n : counts) EXPECT_NEAR(n, 100, 35);
  const auto before = run.y;
  run.forward(true, 6);
  EXPECT_NE(run.y, before);
  run.forward(true, 5);
  EXPECT_EQ(run.y, before);
  run.forward(false);
  for (std::size_t row = 0; row < 600; ++row) EXPECT_EQ(start(row), 2u);  // of 0 .. 5, as Keras rounds
  EXPECT_EQ(refused("random_crop: 4", {3, 2}), "a window of 4 frames does not fit into (3, 2)");
  EXPECT_EQ(refused("random_crop: 4", {9}), "needs an input of rank 2 (T, F), not (9,)");
}

TEST(GaussianNoise, IsNormalWithItsDeviation) {
  LayerRun run(*make_layer("gaussian_noise: 0.5"), {10000}, 4, {.seed = 3});
  run.forward(true, 1);
  std::vector<double> noise;
  for (std::size_t i = 0; i < run.x.size(); ++i) noise.push_back(double(run.y[i]) - double(run.x[i]));
  const double n = double(noise.size()), mean = std::accumulate(noise.begin(), noise.end(), 0.0) / n;
  double second = 0, fourth = 0;
  for (const double v : noise) second += v * v / n, fourth += v * v * v * v / n;
  EXPECT_NEAR(mean, 0, 0.01);
  EXPECT_NEAR(std::sqrt(second), 0.5, 0.01);
  EXPECT_NEAR(fourth / (second * second), 3, 0.15);
  double together = 0;  // neighbours are independent
  for (std::size_t i = 1; i < noise.size(); ++i) together += noise[i] * noise[i - 1] / n / second;
  EXPECT_NEAR(together, 0, 0.02);
  run.forward(false);
  EXPECT_TRUE(same_bytes(run.y_rows(), run.x));
}

TEST(GlobalMaxPooling, NanWinsAndTheFirstOfEqualsHasTheGradient) {
  LayerRun run(*make_layer("global_max_pooling1d"), {4, 2}, 1);
  run.x = {1, NAN, 5, 9, 5, 2, 0, 3};
  run.forward();
  run.backward();
  EXPECT_EQ(run.y[0], 5);
  EXPECT_TRUE(std::isnan(run.y[1]));
  EXPECT_EQ(run.dx[2], run.dy[0]);
  EXPECT_EQ(run.dx[4], 0);
  EXPECT_EQ(run.dx[1], run.dy[1]);
}

}  // namespace
}  // namespace timbre::nn::testing
