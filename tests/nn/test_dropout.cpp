#include "layer_harness.hpp"

namespace timbre::nn::testing {
namespace {

TEST(Dropout, TakesItsMaskFromPhilox) {
  const auto layer = make_layer("dropout: 0.3");
  LayerRun run(*layer, {37, 23}, 5, {.capacity = 8, .index = 4, .seed = 99});
  run.forward(true, 17);
  run.backward(17);
  const float scale = float(1 / (1 - 0.3));
  for (std::size_t e = 0; e < 5 * 37 * 23; ++e) {
    const auto word = philox(99, stream::dropout + 4, 17, e / 4).v[e % 4];
    const float mask = uniform_float(word) >= 0.3f ? scale : 0.0f;
    ASSERT_EQ(run.y[e], run.x[e] * mask) << e;
    ASSERT_EQ(run.dx[e], run.dy[e] * mask) << e;
  }
  EXPECT_TRUE(run.rest_untouched());
}

TEST(Dropout, IsTheSameForAnyNumberOfThreadsAndDiffersByStep) {
  const auto layer = make_layer("dropout: {rate: 0.5}");
  LayerRun one(*layer, {5001}, 13), four(*layer, {5001}, 13, {.threads = 4});
  one.forward(true, 3), four.forward(true, 3);
  EXPECT_TRUE(same_bytes(one.y_rows(), four.y_rows()));
  one.forward(true, 4);
  EXPECT_FALSE(same_bytes(one.y_rows(), four.y_rows()));
}

TEST(Dropout, DropsTheShareItIsAskedForAndKeepsTheMean) {
  const auto layer = make_layer("dropout: 0.2");
  LayerRun run(*layer, {1000}, 200);
  std::fill(run.x.begin(), run.x.end(), 1.0f);
  run.forward();
  const double dropped = double(std::count(run.y.begin(), run.y.end(), 0.0f)) / double(run.y.size());
  EXPECT_NEAR(dropped, 0.2, 0.005);  // five standard deviations are 0.0045
  EXPECT_EQ(*std::max_element(run.y.begin(), run.y.end()), 1.25f);
}

TEST(Dropout, IsTheIdentityOutsideTrainingAndAtRateZero) {
  LayerRun run(*make_layer("dropout: 0.9"), {10}, 3);
  run.forward(false);
  EXPECT_TRUE(same_bytes(run.y_rows(), run.x));
  LayerRun zero(*make_layer("dropout: 0"), {10}, 3);
  zero.forward();
  zero.backward();
  EXPECT_TRUE(same_bytes(zero.y_rows(), zero.x));
  EXPECT_TRUE(same_bytes(zero.dx_rows(), zero.dy));
}

TEST(Dropout, TakesARateFromOutside) {
  const auto layer = make_layer("dropout: 0.9");
  layer->set_dropout(0.25);
  EXPECT_EQ(config::to_yaml(layer->dump()), "dropout:\n  rate: 0.25\n");
  EXPECT_EQ(layer->keras_config()["rate"], 0.25);
  LayerRun run(*layer, {10}, 3);
  run.forward();
  const auto kept = std::find_if(run.y.begin(), run.y.end(), [](float v) { return v != 0; });
  EXPECT_EQ(*kept, run.x[std::size_t(kept - run.y.begin())] * float(1 / 0.75));
}

TEST(Dropout, RefusesImpossibleRates) {
  EXPECT_EQ(request_error([] { make_layer("dropout: 1"); }),
            "test.yaml:1:10: dropout: must be at least 0 and less than 1, not '1'");
  EXPECT_NE(request_error([] { make_layer("dropout: {rate: -0.1}"); }).find("dropout.rate"),
            std::string::npos);
}

TEST(Dropout, KeepsNanVisible) {
  LayerRun run(*make_layer("dropout: 0.5"), {16}, 1);
  std::fill(run.x.begin(), run.x.end(), NAN);
  run.forward();
  for (const float v : run.y_rows()) EXPECT_TRUE(std::isnan(v));
}

}  // namespace
}  // namespace timbre::nn::testing
