#include "layer_harness.hpp"

namespace timbre::nn::testing {
namespace {

TEST(BatchNormalization, FollowsKerasInTrainingAndOutsideIt) {
  for (const auto& name : golden_cases("keras_bn.h5")) expect_golden("keras_bn.h5", name);
}

TEST(BatchNormalization, MovingStatisticsFollowKerasOverTwoSteps) {
  const auto h5 = storage::H5File::open(std::string(TIMBRE_TEST_DATA) + "/keras_bn.h5");
  for (const auto& name : golden_cases("keras_bn.h5")) {
    SCOPED_TRACE(name);
    const auto at = "/" + name + "/";
    auto extents = h5.shape(at + "x").extents();
    const auto rows = extents[0];
    extents.erase(extents.begin());
    LayerRun run(*make_layer(h5.read_text(at + "layer")), Shape(extents), rows);
    for (const auto& p : run.names) {
      const auto values = h5.read_floats(at + "parameters/" + p);
      std::copy(values.begin(), values.end(), run.parameters[p].begin());
    }
    const auto x = h5.read_floats(at + "x");
    std::copy(x.begin(), x.end(), run.x.begin());
    run.forward(true, 0);
    run.forward(true, 1);
    for (const auto* p : {"moving_mean", "moving_variance"})
      EXPECT_LE(relative_difference(run.parameters[p], h5.read_doubles(at + "after_two/" + p)), 1e-6) << p;
    const auto before = run.parameters;
    run.forward(false);
    EXPECT_EQ(run.parameters, before) << "inference must leave the moving statistics alone";
  }
}

TEST(BatchNormalization, DeclaresKerassParametersInItsOrder) {
  const auto names = [](const char* yaml) {
    std::string out;
    for (const auto& p : make_layer(yaml)->parameters({4, 3, 7})) {
      EXPECT_EQ(p.shape, Shape{7});
      EXPECT_FALSE(p.global_penalty);
      EXPECT_EQ(p.trainable, p.name.find("moving") == p.name.npos);
      out += p.name + " ";
    }
    return out;
  };
  EXPECT_EQ(names("batch_normalization"), "gamma beta moving_mean moving_variance ");
  EXPECT_EQ(names("batch_normalization: {center: false}"), "gamma moving_mean moving_variance ");
  EXPECT_EQ(names("batch_normalization: {scale: false, center: false}"), "moving_mean moving_variance ");
}

// Enough values for many pieces.
TEST(BatchNormalization, LargeBatchesGiveTheSameBytesForAnyNumberOfThreads) {
  const auto layer = make_layer("batch_normalization");
  LayerRun one(*layer, {500, 33}, 9, {.threads = 1}),
      three(*layer, {500, 33}, 9, {.capacity = 12, .threads = 3});
  for (auto* run : {&one, &three}) {
    run->forward();
    run->backward();
  }
  EXPECT_TRUE(same_bytes(one.y_rows(), three.y_rows()));
  EXPECT_TRUE(same_bytes(one.dx_rows(), three.dx_rows()));
  for (const auto& [name, gradient] : one.gradients)
    EXPECT_TRUE(same_bytes(gradient, three.gradients[name])) << name;
  EXPECT_EQ(one.parameters, three.parameters);
  EXPECT_TRUE(three.rest_untouched());
}

TEST(BatchNormalization, ConstantChannelsAndOneRowStayFinite) {
  LayerRun run(*make_layer("batch_normalization"), {3}, 1);
  run.x = {1e6f, -3, 0};
  run.forward();
  run.backward();
  for (int c = 0; c < 3; ++c) {
    EXPECT_EQ(run.y[c], run.parameters["beta"][c]);
    EXPECT_EQ(run.dx[c], 0);
  }
}

TEST(BatchNormalization, NanReachesTheOutputAndTheStatistics) {
  LayerRun run(*make_layer("batch_normalization"), {2}, 3);
  run.x[2] = NAN;
  run.forward();
  EXPECT_TRUE(std::isnan(run.y[0]) && !std::isnan(run.y[1]));
  EXPECT_TRUE(std::isnan(run.parameters["moving_variance"][0]));
}

TEST(BatchNormalization, RefusesImpossibleOptions) {
  EXPECT_EQ(request_error([] { make_layer("batch_normalization: {momentum: 2}"); }),
            "test.yaml:1:33: batch_normalization.momentum: must be between 0 and 1, not '2'");
  EXPECT_EQ(request_error([] { make_layer("batch_normalization: {epsilon: 0}"); }),
            "test.yaml:1:32: batch_normalization.epsilon: must be greater than 0, not '0'");
  const auto keras = make_layer("batch_normalization")->keras_config();
  EXPECT_EQ(keras["axis"], -1);
  EXPECT_EQ(keras["momentum"], 0.99);
}

}  // namespace
}  // namespace timbre::nn::testing
