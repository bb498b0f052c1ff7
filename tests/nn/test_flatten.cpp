#include "layer_harness.hpp"

namespace timbre::nn::testing {
namespace {

TEST(Flatten, KeepsTheOrderOfTheData) {
  const auto layer = make_layer("flatten");
  EXPECT_EQ(layer->infer({2, 3, 4}), (Shape{24}));
  EXPECT_EQ(layer->infer({5}), (Shape{5}));
  LayerRun run(*layer, {2, 3, 4}, 3, {.capacity = 5, .threads = 2});
  run.forward();
  run.backward();
  EXPECT_TRUE(same_bytes(run.y_rows(), std::span<const float>(run.x).first(72)));
  EXPECT_TRUE(same_bytes(run.dx_rows(), run.dy));
  EXPECT_TRUE(run.rest_untouched());
}

TEST(Flatten, HasNoOptions) {
  EXPECT_EQ(request_error([] { make_layer("flatten: {order: F}"); }),
            "test.yaml:1:11: flatten: unknown key 'order'; known: ");
  EXPECT_EQ(make_layer("flatten")->keras_class(), "Flatten");
}

}  // namespace
}  // namespace timbre::nn::testing
