// Masked steps: what skips them follows Keras, and what cannot take them is refused.
#include "layer_harness.hpp"
#include "nn/model.hpp"

namespace timbre::nn::testing {
namespace {

class Masking : public ::testing::TestWithParam<std::string> {};
TEST_P(Masking, FollowsKeras) { expect_golden("keras_masking.h5", GetParam()); }
INSTANTIATE_TEST_SUITE_P(Golden, Masking, ::testing::ValuesIn(golden_cases("keras_masking.h5")),
                         [](const auto& info) { return info.param; });

Model model_of(const std::string& layers, const Shape& input) {
  const auto node = config::parse_text(
      "model: [" + layers + ", dense: {units: classes, activation: softmax}]", "test.yaml", ".");
  return Model::parse(config::Reader(*node.find("model"), "model"), input, 4, {});
}
std::string refused(const std::string& layers, const Shape& input = {9, 5}) {
  return request_error([&] { model_of(layers, input); });
}

TEST(MaskedModel, PassesTheMaskOnAsKerasDoes) {
  const auto model = model_of(
      "dense: 4, masking, dropout: 0.1, spatial_dropout1d: 0.1, gaussian_noise: 0.1, activation: relu, "
      "layer_normalization, masking: 1, residual: {layers: [gru: {units: 4, return_sequences: true}]}, lstm: "
      "3, dense: 3",
      {9, 5});
  std::vector<int> masks;
  for (const auto& e : model.layers()) masks.push_back(e.mask);
  EXPECT_EQ(masks, (std::vector<int>{-1, 1, 1, 1, 1, 1, 1, 7, 7, 7, 7, 7, -1, -1}));
}

TEST(MaskedModel, IsRefusedWhereALayerCannotTakeTheMask) {
  EXPECT_EQ(
      refused("masking, flatten"),
      "test.yaml:1:18: model[1].flatten: cannot take steps that masking masks: before it an lstm, gru or "
      "bidirectional without return_sequences, or global_average_pooling1d, must end the sequence");
  for (const char* layer :
       {"conv1d: {filters: 3, kernel_size: 2}, flatten", "max_pooling1d, flatten", "global_max_pooling1d",
        "reshape: [36]", "permute: [2, 1], flatten", "batch_normalization, flatten",
        "global_average_pooling2d", "conv2d: {filters: 2, kernel_size: 2}, flatten"})
    EXPECT_NE(
        refused(std::string("masking, dense: 4, ") + layer).find("cannot take steps that masking masks"),
        std::string::npos)
        << layer;
  EXPECT_NE(refused("masking, residual: {layers: [masking: 1], activation: linear}, lstm: 3")
                .find("masked steps of their own"),
            std::string::npos);
  EXPECT_NE(refused("masking", {9}).find("needs an input of rank 2 (T, F), not (9,)"), std::string::npos);
}

TEST(MaskedMean, OfNoStepIsZero) {
  LayerRun run(*make_layer("global_average_pooling1d"), {3, 2}, 2, {.masked = true});
  run.mask = {0, 0, 0, 0, 1, 0};
  run.forward();
  run.backward();
  EXPECT_EQ(run.y[0], 0);
  EXPECT_EQ(run.y[2], run.x[8]);
  for (const std::size_t i : {0, 1, 2, 3, 4, 5, 6, 7, 10, 11}) EXPECT_EQ(run.dx[i], 0);
}

}  // namespace
}  // namespace timbre::nn::testing
