#include <gtest/gtest.h>

#include <cmath>

#include "config/schema.hpp"
#include "nn/initialiser.hpp"
#include "nn/model.hpp"

namespace timbre::nn {
namespace {

std::string message(const std::string& yaml, const Shape& input = {130, 13}) {
  try {
    const auto node = config::parse_text("model: " + yaml, "f.yaml", ".");
    Model::parse(config::Reader(node).entry("model"), input, 10, {});
  } catch (const RequestError& e) {
    return e.what();
  }
  return "no error";
}

Model parse(const std::string& yaml, const Regularisation& r = {}, const Shape& input = {130, 13}) {
  const auto node = config::parse_text(yaml, "f.yaml", ".");
  return Model::parse(config::Reader(node, "model"), input, 10, r);
}

TEST(Model, TheOriginalsThreeNetworksHaveTheirParameters) {
  const auto mlp = parse(
      "[flatten, dense: {units: 512, activation: relu}, dense: {units: 256, activation: relu}, dense: "
      "{units: 64, activation: relu}, dense: {units: classes, activation: softmax}]");
  EXPECT_EQ(mlp.parameter_count(), 1'014'218);
  const auto cnn = parse(
      "[conv2d: {filters: 32, kernel_size: [3, 3], activation: relu}, max_pooling2d: {pool_size: [3, 3], "
      "strides: [2, 2], padding: same}, batch_normalization,"
      " conv2d: {filters: 32, kernel_size: [3, 3], activation: relu}, max_pooling2d: {pool_size: [3, 3], "
      "strides: [2, 2], padding: same}, batch_normalization,"
      " conv2d: {filters: 32, kernel_size: [2, 2], activation: relu}, max_pooling2d: {pool_size: [2, 2], "
      "strides: [2, 2], padding: same}, batch_normalization,"
      " flatten, dense: {units: 64, activation: relu}, dropout: 0.3, dense: {units: classes, activation: "
      "softmax}]");
  EXPECT_EQ(cnn.parameter_count(), 45'514);
  EXPECT_EQ(cnn.trainable_parameter_count(), 45'322);
  const auto lstm = parse(
      "[lstm: {units: 128, return_sequences: true}, lstm: {units: 128}, dropout: 0.2, dense: {units: 64, "
      "activation: relu}, dropout: 0.3, dense: {units: 32, activation: relu}, dropout: 0.3, dense: {units: "
      "classes, activation: softmax}]");
  EXPECT_EQ(lstm.parameter_count(), 214'954);
  EXPECT_EQ(lstm.layers()[1].name, "lstm_1");
  EXPECT_EQ(lstm.layers()[0].output, (Shape{130, 128}));
  EXPECT_NE(lstm.summary().find("214,954"), std::string::npos);
  EXPECT_NE(lstm.summary().find("lstm_1 (LSTM)"), std::string::npos) << lstm.summary();
}

TEST(Model, ComplaintsNameThePlaceAndTheLayer) {
  EXPECT_EQ(message("[flaten]").substr(0, 70),
            "f.yaml:1:9: model[0]: unknown layer 'flaten'; did you mean 'flatten'? ");
  EXPECT_EQ(message("[{lstm: {unit: 3}}]").substr(0, 76),
            "f.yaml:1:17: model[0].lstm: unknown key 'unit'; did you mean 'units'? known:");
  EXPECT_NE(
      message("[{lstm: {units: 8}}, {lstm: {units: 8}}, {dense: {units: classes, activation: softmax}}]")
          .find("f.yaml:1:36: model[1].lstm: "),
      std::string::npos);
  EXPECT_NE(message("[flatten, {dense: {units: classes}}]").find("must end in activation: softmax"),
            std::string::npos);
  EXPECT_NE(message("[flatten, {dense: {units: 7, activation: softmax}}]")
                .find("the model's output is (7,), but the data have 10 classes"),
            std::string::npos);
  const std::string sequence =
      "[{lstm: {units: 4, return_sequences: true}}, {dense: {units: classes, activation: softmax}}]";
  EXPECT_NE(message(sequence).find(", 10), and must be (10,): add a flatten layer"), std::string::npos)
      << message(sequence);
  EXPECT_NE(message("[]").find("has no layers"), std::string::npos);
  EXPECT_NE(message("{a: 1}").find("must be a sequence of layers"), std::string::npos);
  EXPECT_NE(message("[{flatten: {}, dropout: 0.1}]").find("a map of 2 keys"), std::string::npos);
}

TEST(Model, TheGlobalPenaltyIsForKernelsAndALayersOwnReplacesIt) {
  Regularisation r;
  r.l2 = 0.5;
  const auto m = parse(
      "[lstm: {units: 4}, dense: {units: 6, kernel_regulariser: {l1: 0.25}}, dense: {units: classes, "
      "activation: softmax}]",
      r);
  for (const auto& parameter : m.parameters()) {
    const bool own = parameter.layer == 1 && parameter.spec.name == "kernel";
    EXPECT_EQ(parameter.penalty.l1, own ? 0.25 : 0) << parameter.spec.name;
    EXPECT_EQ(parameter.penalty.l2, own                               ? 0
                                    : parameter.spec.name == "kernel" ? 0.5
                                                                      : 0)
        << parameter.spec.name;
  }
}

TEST(Model, TheArenaHoldsTrainableParametersFirstAndOnCacheLines) {
  const auto m = parse(
      "[conv2d: {filters: 3, kernel_size: 2}, batch_normalization, flatten, dense: {units: classes, "
      "activation: softmax}]");
  std::int64_t end = 0;
  for (const auto& parameter : m.parameters()) {
    EXPECT_EQ(parameter.offset % 16, 0);
    EXPECT_EQ(parameter.spec.trainable, parameter.offset < m.trainable_size());
    end = std::max(end, parameter.offset + parameter.spec.shape.size());
  }
  EXPECT_LE(end, m.arena_size());
}

TEST(Initialiser, OrthogonalIsOrthonormal) {
  for (const Shape& shape : {Shape{8, 32}, Shape{32, 8}, Shape{16, 16}}) {
    std::vector<float> w(std::size_t(shape.size()));
    initialise({"recurrent_kernel", shape, Initialiser::orthogonal}, 3, 1, w);
    const auto r = shape[0], c = shape[1], n = std::min(r, c), length = std::max(r, c);
    for (std::int64_t i = 0; i < n; ++i)
      for (std::int64_t j = 0; j <= i; ++j) {
        double dot = 0;
        for (std::int64_t k = 0; k < length; ++k)
          dot += r <= c ? double(w[std::size_t(i * c + k)]) * w[std::size_t(j * c + k)]
                        : double(w[std::size_t(k * c + i)]) * w[std::size_t(k * c + j)];
        EXPECT_NEAR(dot, i == j ? 1.0 : 0.0, 1e-6);
      }
  }
}

TEST(Initialiser, GlorotUniformHasItsLimitAndVariance) {
  std::vector<float> w(3 * 3 * 16 * 32);
  initialise({"kernel", Shape{3, 3, 16, 32}, Initialiser::glorot_uniform}, 3, 1, w);
  const double limit = std::sqrt(6.0 / (9 * 16 + 9 * 32));
  double square = 0, largest = 0;
  for (const float v : w) square += double(v) * v, largest = std::max(largest, std::abs(double(v)));
  EXPECT_LE(largest, limit * (1 + 1e-6));
  EXPECT_GT(largest, 0.99 * limit);
  EXPECT_NEAR(square / double(w.size()), limit * limit / 3, 0.05 * limit * limit);
}

TEST(Initialiser, SeedsAndParametersDifferAndRepeat) {
  const ParameterSpec spec{"kernel", Shape{4, 4}, Initialiser::glorot_uniform};
  std::vector<float> a(16), b(16), c(16), d(16);
  initialise(spec, 1, 0, a), initialise(spec, 1, 0, b), initialise(spec, 2, 0, c), initialise(spec, 1, 1, d);
  EXPECT_EQ(a, b);
  EXPECT_NE(a, c);
  EXPECT_NE(a, d);
}

}  // namespace
}  // namespace timbre::nn
