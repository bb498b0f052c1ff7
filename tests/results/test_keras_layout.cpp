#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "config/node.hpp"
#include "core/error.hpp"
#include "core/text.hpp"
#include "nn/model.hpp"
#include "record.hpp"

namespace timbre::results {
namespace {

using nlohmann::ordered_json;
using storage::H5File;
using test::message_of;
using test::TemporaryFolder;

constexpr std::int64_t T = 12, F = 5, C = 3;

KerasLayer dense(std::int64_t units, const char* activation, Shape input) {
  return {"Dense",
          {{"dtype", "float32"}, {"units", units}, {"activation", activation}, {"use_bias", true}},
          input};
}
KerasLayer conv(std::int64_t filters, std::int64_t size, Shape input) {
  return {"Conv2D",
          {{"dtype", "float32"},
           {"filters", filters},
           {"kernel_size", {size, size}},
           {"strides", {1, 1}},
           {"padding", "valid"},
           {"activation", "relu"}},
          input};
}
KerasLayer lstm(std::int64_t units, bool sequences, Shape input) {
  return {"LSTM", {{"dtype", "float32"}, {"units", units}, {"return_sequences", sequences}}, input};
}

// The models of tests/golden/results_keras.py.
std::vector<KerasLayer> cnn_layers() {
  return {conv(4, 3, {T, F}),
          {"MaxPooling2D", {{"pool_size", {3, 3}}, {"strides", {2, 2}}, {"padding", "same"}}, {10, 3, 4}},
          {"BatchNormalization", {{"axis", {3}}, {"momentum", 0.99}, {"epsilon", 1e-3}}, {5, 2, 4}},
          conv(3, 2, {5, 2, 4}),
          {"Flatten", ordered_json::object(), {4, 1, 3}},
          dense(6, "relu", {12}),
          {"Dropout", {{"rate", 0.3}}, {6}},
          dense(C, "softmax", {6})};
}
std::vector<KerasLayer> lstm_layers() {
  return {lstm(4, true, {T, F}),
          lstm(3, false, {T, 4}),
          {"Dropout", {{"rate", 0.2}}, {3}},
          dense(C, "softmax", {3})};
}

TEST(KerasLayout, NamesLayersAsKerasDoes) {
  EXPECT_EQ(snake_case("Conv2D"), "conv2d");
  EXPECT_EQ(snake_case("MaxPooling2D"), "max_pooling2d");
  EXPECT_EQ(snake_case("GlobalAveragePooling1D"), "global_average_pooling1d");
  EXPECT_EQ(snake_case("BatchNormalization"), "batch_normalization");
  EXPECT_EQ(snake_case("LSTM"), "lstm");
  EXPECT_EQ(snake_case("GRU"), "gru");
  EXPECT_EQ(snake_case("ReLU"), "re_lu");
  EXPECT_EQ(snake_case("Dense"), "dense");
}

std::vector<std::string> names_of(const ordered_json& config) {
  std::vector<std::string> out;
  for (const auto& layer : config["config"]["layers"]) out.push_back(layer["config"]["name"]);
  return out;
}

TEST(KerasLayout, PicturesOfRankTwoGetAChannel) {
  const auto config = model_config("my cnn/1", {T, F}, cnn_layers());
  EXPECT_EQ(config["config"]["name"], "my_cnn_1");
  EXPECT_EQ(config["config"]["layers"][0]["config"]["batch_input_shape"].dump(), "[null,12,5,1]");
  EXPECT_EQ(names_of(config),
            (std::vector<std::string>{"input_1", "conv2d", "max_pooling2d", "batch_normalization", "conv2d_1",
                                      "flatten", "dense", "dropout", "dense_1"}));
}

TEST(KerasLayout, PicturesAfterSequencesAreReshaped) {
  const auto config = model_config(
      "x", {T, F},
      {lstm(4, true, {T, F}), conv(2, 3, {T, 4}), {"Flatten", ordered_json::object(), {10, 2, 2}}});
  EXPECT_EQ(config["config"]["layers"][0]["config"]["batch_input_shape"].dump(), "[null,12,5]");
  EXPECT_EQ(names_of(config), (std::vector<std::string>{"input_1", "lstm", "reshape", "conv2d", "flatten"}));
  EXPECT_EQ(config["config"]["layers"][2]["config"]["target_shape"].dump(), "[12,4,1]");
}

TEST(KerasLayout, ReadsTheWeightsOfFilesThatKerasWrote) {
  const auto cnn = read_keras_weights(H5File::open(TIMBRE_TEST_DATA "/results_cnn.h5"));
  std::string found;
  for (const auto& w : cnn) found += w.name + w.shape.str() + " ";
  EXPECT_EQ(found,
            "kernel(3, 3, 1, 4) bias(4,) gamma(4,) beta(4,) moving_mean(4,) moving_variance(4,) "
            "kernel(2, 2, 4, 3) bias(3,) kernel(12, 6) bias(6,) kernel(6, 3) bias(3,) ");
  const auto lstm = read_keras_weights(H5File::open(TIMBRE_TEST_DATA "/results_lstm.h5"));
  found.clear();
  for (const auto& w : lstm) found += w.name + w.shape.str() + " ";
  EXPECT_EQ(found,
            "kernel(5, 16) recurrent_kernel(4, 16) bias(16,) kernel(4, 12) recurrent_kernel(3, 12) bias(12,) "
            "kernel(3, 3) bias(3,) ");
}

/// The weights of Keras's own file under the names of this configuration, in order.
std::vector<WeightTensor> renamed(std::vector<WeightTensor> weights, const ordered_json& config) {
  std::vector<std::string> names, old;
  for (const auto& layer : config["config"]["layers"]) {
    const auto type = layer["class_name"].get<std::string>();
    if (type == "Dense" || type == "Conv2D" || type == "LSTM" || type == "BatchNormalization")
      names.push_back(layer["config"]["name"]);
  }
  for (auto& w : weights) {
    if (old.empty() || old.back() != w.layer) old.push_back(w.layer);
    w.layer = names.at(old.size() - 1);
  }
  return weights;
}

/// A result with all its groups around a model of Keras's, standardised, and the features it was made from.
RunRecord keras_record(const std::string& kind, const std::filesystem::path& features_path) {
  const auto golden = H5File::open(TIMBRE_TEST_DATA "/results_" + kind + ".h5");
  const auto layers = kind == "cnn" ? cnn_layers() : lstm_layers();
  const auto config = model_config(kind, {T, F}, layers);
  auto r = example_record();
  r.model_config = config.dump();
  r.weights = renamed(read_keras_weights(golden), config);
  // The network saw z; the feature file holds mean + std * z.
  r.feature_mean = {1, 2, 3, 4, 5}, r.feature_std = {1, 2, 0.5f, 1, 4};
  auto features = golden.read_floats("/golden/features");
  for (std::size_t i = 0; i < features.size(); ++i)
    features[i] = features[i] * r.feature_std[i % F] + r.feature_mean[i % F];
  const auto rows = std::int64_t(features.size()) / (T * F);
  const std::vector<std::int32_t> label(rows, 1), numbers(rows, 0);
  r.test = evaluate(golden.read_floats("/golden/probabilities"), label, numbers, numbers, {"a"});
  r.validation.reset();
  r.split.test.clear();
  for (std::int32_t i = 0; i < rows; ++i) r.split.test.push_back(i);
  auto file = H5File::create(features_path);
  file.write("/features", features, {rows, T, F});
  file.write("/label", label, {rows});
  file.close();
  return r;
}

class KerasResult : public testing::TestWithParam<const char*> {};

TEST_P(KerasResult, WeightsComeBackAndNestAsInKeras2) {
  const TemporaryFolder folder;
  const auto r = keras_record(GetParam(), folder / "features.h5");
  write_result(folder / "result.h5", r);
  const auto b = read_result(folder / "result.h5");
  EXPECT_EQ(b.model_config, r.model_config);
  EXPECT_EQ(b.weights, r.weights);
  EXPECT_TRUE(read_result(folder / "result.h5", false).weights.empty());
  const auto file = H5File::open(folder / "result.h5");
  EXPECT_TRUE(file.exists("/model_weights/dense/dense/kernel:0"));
  EXPECT_TRUE(file.texts_attribute("/model_weights/dropout", "weight_names").empty());
  if (GetParam() == std::string("lstm")) {
    EXPECT_TRUE(file.exists("/model_weights/lstm_1/lstm_1/lstm_cell/recurrent_kernel:0"));
    EXPECT_EQ(file.texts_attribute("/model_weights", "layer_names"),
              (std::vector<std::string>{"lstm", "lstm_1", "dropout", "dense"}));
  }
}

TEST_P(KerasResult, LoadsInKeras2And3AndPredictsTheSame) {
  const char* python = std::getenv("TIMBRE_PYTHON");
  if (!python) GTEST_SKIP() << "TIMBRE_PYTHON names no Python with keras, tf_keras and h5py";
  const TemporaryFolder folder;
  auto r = keras_record(GetParam(), folder / "features.h5");
  const auto run = [&] {
    write_result(folder / "result.h5", r);
    const auto command = fmt::format("{} {}/tests/results/check_keras.py {} {} > {} 2>&1", python,
                                     TIMBRE_SOURCE_DIR, (folder / "result.h5").string(),
                                     (folder / "features.h5").string(), (folder / "log").string());
    return std::system(command.c_str());
  };
  EXPECT_EQ(run(), 0) << test::bytes_of(folder / "log");
  r.weights.back().data[0] += 0.01f;  // the check sees a difference
  EXPECT_NE(run(), 0) << test::bytes_of(folder / "log");
}

INSTANTIATE_TEST_SUITE_P(Models, KerasResult, testing::Values("cnn", "lstm"),
                         [](const auto& info) { return std::string(info.param); });

TEST(KerasLayout, WeightsOfAnUnknownLayerAreRefused) {
  const TemporaryFolder folder;
  auto r = example_record();
  r.model_config = model_config("x", {4}, {dense(2, "softmax", {4})}).dump();
  r.weights = {{"dense_7", "kernel", {4, 2}, std::vector<float>(8)}};
  EXPECT_NE(message_of<Error>([&] { write_result(folder / "result.h5", r); }).find("not in the model"),
            std::string::npos);
  EXPECT_FALSE(std::filesystem::exists(folder / "result.h5"));
}

}  // namespace
}  // namespace timbre::results
