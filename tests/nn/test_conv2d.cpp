#include "layer_harness.hpp"

namespace timbre::nn::testing {
namespace {

TEST(Conv2D, ForwardAndGradientsFollowKerasForEveryGeometry) {
  for (const auto& name : golden_cases("keras_conv2d.h5"))
    expect_golden("keras_conv2d.h5", name, {.forward = 1e-5, .gradient = 3e-5});
}

TEST(Conv2D, ShapesAreThoseOfKeras) {
  const auto shape = [](const char* yaml, Shape input) { return make_layer(yaml)->infer(input); };
  EXPECT_EQ(shape("conv2d: {filters: 32, kernel_size: 3}", {130, 13, 1}), (Shape{128, 11, 32}));
  EXPECT_EQ(shape("conv2d: {filters: 32, kernel_size: 3}", {130, 13}), (Shape{128, 11, 32}));
  EXPECT_EQ(shape("conv2d: {filters: 4, kernel_size: [2, 3], strides: 2, padding: same}", {7, 6, 3}),
            (Shape{4, 3, 4}));
  EXPECT_EQ(shape("conv2d: {filters: 4, kernel_size: [2, 3], strides: [2, 1]}", {7, 6, 3}), (Shape{3, 4, 4}));

  const auto parameters = make_layer("conv2d: {filters: 6, kernel_size: [3, 2]}")->parameters({9, 7, 5});
  ASSERT_EQ(parameters.size(), 2u);
  EXPECT_EQ(parameters[0].name, "kernel");
  EXPECT_EQ(parameters[0].shape, (Shape{3, 2, 5, 6}));
  EXPECT_TRUE(parameters[0].global_penalty);
  EXPECT_EQ(parameters[1].name, "bias");
  EXPECT_EQ(parameters[1].shape, (Shape{6}));
  EXPECT_FALSE(parameters[1].global_penalty);
  EXPECT_EQ(make_layer("conv2d: {filters: 6, kernel_size: 1, use_bias: false}")->parameters({9, 7}).size(),
            1u);
}

TEST(Conv2D, ErrorsNameTheSizesThatDoNotFit) {
  const auto infer = [](const char* yaml, Shape input) {
    return request_error([&] { make_layer(yaml)->infer(input); });
  };
  EXPECT_EQ(infer("conv2d: {filters: 2, kernel_size: 5}", {3, 3, 1}),
            "kernel (5, 5) is larger than the input (3, 3, 1); a smaller one, or padding: same");
  EXPECT_EQ(infer("conv2d: {filters: 2, kernel_size: [1, 5]}", {9, 3}),
            "kernel (1, 5) is larger than the input (9, 3, 1); a smaller one, or padding: same");
  EXPECT_EQ(infer("conv2d: {filters: 2, kernel_size: 5}", {64}),
            "needs an input of rank 3 (height, width, channels) or rank 2 (frames, coefficients), not (64,)");
  EXPECT_EQ(infer("conv2d: {filters: 2, kernel_size: 5, padding: same}", {3, 3, 1}), "no error");

  const auto parse = [](const char* yaml) { return request_error([&] { make_layer(yaml); }); };
  EXPECT_EQ(parse("conv2d: {filters: 2, kernel_size: [3]}"),
            "test.yaml:1:35: conv2d.kernel_size: must be a whole number or two of them, [height, width], not "
            "1 items");
  EXPECT_EQ(parse("conv2d: {filters: 2, kernel_size: [3, 0]}"),
            "test.yaml:1:39: conv2d.kernel_size[1]: must be between 1 and 65536, not '0'");
  EXPECT_EQ(parse("conv2d: {filters: 2, kernel_size: 3, padding: causal}"),
            "test.yaml:1:47: conv2d.padding: must be one of valid, same, not 'causal'");
  EXPECT_NE(parse("conv2d: {filters: 2}").find("the key 'kernel_size' is missing"), std::string::npos);
  EXPECT_NE(parse("conv2d: {filters: 0, kernel_size: 3}").find("must be between 1 and 65536"),
            std::string::npos);
}

TEST(Conv2D, DescribesItselfAsRead) {
  const auto layer = make_layer(
      "conv2d: {filters: 8, kernel_size: [3, 2], strides: 2, padding: same, activation: relu, "
      "kernel_regulariser: {l2: 0.5}}");
  const auto text = config::to_yaml(layer->dump());
  EXPECT_EQ(text, config::to_yaml(make_layer(text)->dump())) << text;
  EXPECT_NE(text.find("kernel_size: [3, 2]"), std::string::npos) << text;
  const auto keras = layer->keras_config();
  EXPECT_EQ(layer->keras_class(), "Conv2D");
  EXPECT_EQ(keras["strides"].dump(), "[2,2]");
  EXPECT_EQ(keras["kernel_regularizer"]["config"]["l2"], 0.5);
  EXPECT_DOUBLE_EQ(layer->parameters({9, 7})[0].penalty->l2, 0.5);
}

// More rows than there are pieces, and a smaller batch after a larger one.
TEST(Conv2D, ManyRowsGiveTheSumOfTheirGradientsForAnyNumberOfThreads) {
  const auto layer = make_layer("conv2d: {filters: 3, kernel_size: 2, padding: same, activation: relu}");
  constexpr std::int64_t rows = 75;
  LayerRun one(*layer, {4, 3, 2}, rows, {.threads = 1}), four(*layer, {4, 3, 2}, rows, {.threads = 4});
  for (auto* run : {&one, &four}) {
    run->forward();
    run->backward();
  }
  EXPECT_TRUE(same_bytes(one.y_rows(), four.y_rows()));
  EXPECT_TRUE(same_bytes(one.dx_rows(), four.dx_rows()));
  EXPECT_TRUE(same_bytes(one.gradients["kernel"], four.gradients["kernel"]));
  EXPECT_TRUE(same_bytes(one.gradients["bias"], four.gradients["bias"]));

  std::vector<double> sum(one.gradients["kernel"].size());
  LayerRun single(*layer, {4, 3, 2}, 1);
  for (std::int64_t r = 0; r < rows; ++r) {
    std::copy_n(one.x.begin() + r * 24, 24, single.x.begin());
    single.dy.assign(one.dy.begin() + r * 36, one.dy.begin() + (r + 1) * 36);
    single.forward();
    single.backward();
    for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += single.gradients["kernel"][i];
  }
  EXPECT_LE(relative_difference(one.gradients["kernel"], sum), 1e-6);

  four.set_rows(5);
  four.forward();
  four.backward();
  one.set_rows(5);
  one.forward();
  one.backward();
  EXPECT_TRUE(same_bytes(one.gradients["kernel"], four.gradients["kernel"]));
}

TEST(Conv2D, LeavesOutWhatIsNotAskedFor) {
  const auto layer = make_layer("conv2d: {filters: 4, kernel_size: 3, padding: same}");
  LayerRun all(*layer, {6, 5, 2}, 3), no_input(*layer, {6, 5, 2}, 3, {.input_gradient = false}),
      inference(*layer, {6, 5, 2}, 3, {.trained = false, .input_gradient = false});
  all.forward();
  all.backward();
  no_input.forward();
  no_input.backward();
  EXPECT_TRUE(same_bytes(all.gradients["kernel"], no_input.gradients["kernel"]));
  inference.forward(false);
  EXPECT_TRUE(same_bytes(all.y_rows(), inference.y_rows()));
}

TEST(Conv2D, NanIsNotLostInRelu) {
  LayerRun run(*make_layer("conv2d: {filters: 20, kernel_size: 1, activation: relu}"), {2, 2, 1}, 1);
  run.x[3] = NAN;
  run.forward();
  EXPECT_TRUE(std::isnan(run.y[3 * 20]) && std::isnan(run.y[3 * 20 + 19]));
  EXPECT_FALSE(std::isnan(run.y[0]));
}

}  // namespace
}  // namespace timbre::nn::testing
