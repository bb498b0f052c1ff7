#include "layer_harness.hpp"

namespace timbre::nn::testing {
namespace {

TEST(MaxPooling2D, ForwardAndGradientFollowKerasTiesIncluded) {
  for (const auto& name : golden_cases("keras_pool2d.h5"))
    // The largest value itself is copied; its gradient is a sum of a few.
    expect_golden("keras_pool2d.h5", name, {.forward = 0, .gradient = 1e-6});
}

TEST(MaxPooling2D, ShapesAreThoseOfKeras) {
  const auto shape = [](const char* yaml, Shape input) { return make_layer(yaml)->infer(input); };
  EXPECT_EQ(shape("max_pooling2d: {pool_size: 3, strides: 2, padding: same}", {128, 11, 32}),
            (Shape{64, 6, 32}));
  EXPECT_EQ(shape("max_pooling2d", {7, 9, 3}), (Shape{3, 4, 3}));
  EXPECT_EQ(shape("max_pooling2d: {pool_size: [3, 2]}", {12, 7}), (Shape{4, 3, 1}));
  EXPECT_EQ(shape("max_pooling2d: {pool_size: 4, padding: same}", {3, 3, 1}), (Shape{1, 1, 1}));
  EXPECT_TRUE(make_layer("max_pooling2d")->parameters({7, 9, 3}).empty());
}

TEST(MaxPooling2D, ErrorsNameTheSizesThatDoNotFit) {
  EXPECT_EQ(request_error([] {
              make_layer("max_pooling2d: {pool_size: [4, 2]}")->infer({3, 3, 1});
            }),
            "pool (4, 2) is larger than the input (3, 3, 1); a smaller one, or padding: same");
  EXPECT_EQ(request_error([] { make_layer("max_pooling2d: {pool_size: 300}"); }),
            "test.yaml:1:16: max_pooling2d: a pool of (300, 300) has more than 65536 places");
}

TEST(MaxPooling2D, StridesAreThePoolWhereNotGiven) {
  const auto layer = make_layer("max_pooling2d: {pool_size: [3, 2]}");
  const auto text = config::to_yaml(layer->dump());
  EXPECT_NE(text.find("strides: [3, 2]"), std::string::npos) << text;
  EXPECT_EQ(text, config::to_yaml(make_layer(text)->dump()));
  EXPECT_EQ(layer->keras_config()["strides"].dump(), "[3,2]");
  EXPECT_EQ(layer->keras_class(), "MaxPooling2D");
}

// 17 channels: one whole vector of any width and a rest.
TEST(MaxPooling2D, NanWinsAndMinusInfinityIsAValue) {
  LayerRun run(*make_layer("max_pooling2d: {pool_size: 2, padding: same}"), {2, 3, 17}, 1);
  for (const std::int64_t c : {0, 16}) {
    run.x[std::size_t(1 * 17 + c)] = NAN;  // in the first window, before larger values
    run.x[std::size_t(3 * 17 + c)] = INFINITY;
    run.x[std::size_t(2 * 17 + c)] = run.x[std::size_t(5 * 17 + c)] = -INFINITY;  // all of the second window
  }
  run.forward();
  run.backward();
  for (const std::size_t c : {0, 16}) {
    EXPECT_TRUE(std::isnan(run.y[c]));
    EXPECT_EQ(run.dx[1 * 17 + c], run.dy[c]);
    EXPECT_EQ(run.dx[3 * 17 + c], 0);
    EXPECT_EQ(run.y[17 + c], -INFINITY);
    EXPECT_EQ(run.dx[2 * 17 + c], run.dy[17 + c]);
    EXPECT_EQ(run.dx[5 * 17 + c], 0);
  }
}

TEST(MaxPooling2D, OneWindowOverALargePictureFindsItsPlace) {
  LayerRun run(*make_layer("max_pooling2d: {pool_size: [250, 260]}"), {250, 260, 1}, 1);
  run.x[64999] = 100;
  run.forward();
  run.backward();
  EXPECT_EQ(run.y[0], 100);
  EXPECT_EQ(run.dx[64999], run.dy[0]);
  EXPECT_EQ(std::count(run.dx.begin(), run.dx.end(), 0.0f), 64999);
}

}  // namespace
}  // namespace timbre::nn::testing
