// Files of Keras: written, taken back to the same bytes, loaded by Keras; and those that cannot be taken.
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <nlohmann/json.hpp>

#include "exchange/keras.hpp"
#include "exchange/keras_chain.hpp"
#include "exchange/keras_reader.hpp"
#include "run/imported.hpp"
#include "run/trained.hpp"
#include "storage/hdf5.hpp"
#include "storage/zip_archive.hpp"
#include "support.hpp"

namespace timbre::exchange {
namespace {

using namespace test;
using timbre::test::zip_archive;
using timbre::test::zip_of;
using timbre::test::ZipMember;
using Json = nlohmann::ordered_json;

class KerasModels : public testing::TestWithParam<const char*> {};

TEST_P(KerasModels, ComeBackWithTheSameBytes) {
  const auto e = example_of(GetParam());
  const TemporaryFolder folder;
  for (const std::string extension : {".h5", ".keras"}) {
    const auto file = folder / ("model" + extension), again = folder / ("again" + extension),
               result = folder / "result.h5";
    const auto write = [&](const std::filesystem::path& to, const Outgoing& network) {
      extension == ".h5" ? write_keras_h5(to, network) : write_keras_archive(to, network);
    };
    write(file, e.outgoing());
    const auto imported = run::import_keras(file, {});
    EXPECT_TRUE(imported.notes.empty()) << imported.notes.front();
    results::write_result(result, imported.record);
    const auto back = run::load_trained(result);
    EXPECT_EQ(back.weights(), e.arena);
    EXPECT_EQ(back.standardisation.mean, e.standardisation.mean);
    EXPECT_EQ(back.standardisation.std, e.standardisation.std);
    EXPECT_EQ(back.record.label_names, e.record.label_names);
    EXPECT_EQ(back.record.status, "imported");
    EXPECT_EQ(back.cutting.samples, e.samples);
    EXPECT_EQ(features::extraction_key(back.config.features), features::extraction_key(e.config.features));
    EXPECT_EQ(back.model.summary(), e.model->summary());
    // What was imported leaves as the same file, but for the texts that say where it comes from.
    auto record = back.record;
    record.key = e.record.key, record.version = e.record.version;
    record.config = e.record.config;
    write(again, {back.model, back.weights(), back.standardisation, back.config.features,
                  back.cutting.samples, back.cutting.hop, record});
    EXPECT_TRUE(bytes_of(again) == bytes_of(file)) << extension;
  }
}

TEST_P(KerasModels, LoadInKeras3AsAnArchive) {
  const auto e = example_of(GetParam());
  const TemporaryFolder folder;
  write_keras_archive(folder / "model.keras", e.outgoing());
  check_with_python(e, "keras", folder.path(), folder / "model.keras", 1e-5);
}

TEST_P(KerasModels, LoadInKeras2And3AsHdf5) {
  const auto e = example_of(GetParam());
  const TemporaryFolder folder;
  write_keras_h5(folder / "model.h5", e.outgoing());
  check_with_python(e, "keras", folder.path(), folder / "model.h5", 1e-5);
  if (!testing::Test::IsSkipped()) check_with_python(e, "tf_keras", folder.path(), folder / "model.h5", 1e-5);
}

INSTANTIATE_TEST_SUITE_P(Configurations, KerasModels,
                         testing::Values("mlp", "lstm", "cnn", "log_mel_cnn", "short_chunk_cnn"),
                         [](const auto& info) { return std::string(info.param); });

TEST(KerasModel, StandardisesAPictureToo) {
  const auto e = small_example(
      "{n_mfcc: 13, standardise: true}",
      "[conv2d: {filters: 2, kernel_size: 3}, flatten, dense: {units: classes, activation: softmax}]");
  const auto layers = keras_model(e.outgoing()).at("config").at("layers");
  EXPECT_EQ(layers[0]["config"]["batch_input_shape"], Json::array({nullptr, e.model->input()[0], 13, 1}));
  EXPECT_EQ(layers[1]["class_name"], "Normalization");
  EXPECT_EQ(layers[1]["config"]["axis"], Json::array({2}));
  EXPECT_EQ(layers[1]["config"]["mean"].size(), 13u);
  EXPECT_EQ(layers[2]["class_name"], "Conv2D");
}

// Masking looks for silence in features as they are: it comes before what standardises them.
TEST(KerasModel, StandardisesBehindMasking) {
  const auto e =
      small_example("{kind: mel, n_mels: 16, standardise: true}",
                    "[masking, dense: {units: 6, activation: tanh}, gru: {units: 5, return_sequences: true}, "
                    "global_average_pooling1d, dense: {units: classes, activation: softmax}]");
  ASSERT_EQ(e.standardisation.masked, 0.0f);
  EXPECT_EQ(e.features[0], 0.0f) << "nothing is masked";
  const auto layers = keras_model(e.outgoing()).at("config").at("layers");
  EXPECT_EQ(layers[1]["class_name"], "Masking");
  EXPECT_EQ(layers[2]["class_name"], "Normalization");
  const TemporaryFolder folder;
  write_keras_archive(folder / "model.keras", e.outgoing());
  const auto imported = run::import_keras(folder / "model.keras", {});
  results::write_result(folder / "result.h5", imported.record);
  const auto back = run::load_trained(folder / "result.h5");
  EXPECT_EQ(back.weights(), e.arena);
  EXPECT_EQ(back.standardisation.mean, e.standardisation.mean);
  EXPECT_EQ(back.standardisation.masked, 0.0f);
  check_with_python(e, "keras", folder.path(), folder / "model.keras", 1e-5);
  if (testing::Test::IsSkipped()) return;
  write_keras_h5(folder / "model.h5", e.outgoing());
  check_with_python(e, "keras", folder.path(), folder / "model.h5", 1e-5);
}

// ---- files of others: a small model, changed

/// A file as Keras 2 writes it, with the layers changed, and weights as they are asked for.
class KerasFiles : public testing::Test {
 protected:
  void SetUp() override {
    config_ = Json::parse(R"({"class_name": "Sequential", "config": {"name": "sequential", "layers": [
      {"class_name": "InputLayer", "config": {"batch_input_shape": [null, 22, 13], "dtype": "float32", "name": "input_1"}},
      {"class_name": "LSTM", "config": {"name": "lstm", "units": 4, "activation": "tanh", "recurrent_activation": "sigmoid",
        "use_bias": true, "return_sequences": false, "dropout": 0.0, "kernel_initializer": {"class_name": "GlorotUniform"}}},
      {"class_name": "Dense", "config": {"name": "dense", "units": 3, "activation": "softmax"}}]}})");
    weights_ = {{"lstm", {{"kernel:0", {13, 16}}, {"recurrent_kernel:0", {4, 16}}, {"bias:0", {16}}}},
                {"dense", {{"kernel:0", {4, 3}}, {"bias:0", {3}}}}};
  }
  struct Weight {
    std::string name;
    Shape shape;
    std::string type = "float32";
    float value = 0.5f;
  };
  struct LayerWeights {
    std::string layer;
    std::vector<Weight> weights;
  };
  Json& layer(std::size_t i) { return config_["config"]["layers"][i]; }
  Json& options(std::size_t i) { return layer(i)["config"]; }

  std::filesystem::path write(const std::string& config) const {
    const auto path = folder_ / "model.h5";
    auto file = storage::H5File::create(path);
    file.attribute("/", "keras_version", "2.2.4");
    file.attribute("/", "model_config", config);
    file.group("/model_weights");
    std::vector<std::string> layers;
    for (const auto& [name, weights] : weights_) {
      layers.push_back(name);
      const auto group = "/model_weights/" + name;
      file.group(group);
      std::vector<std::string> paths;
      for (const auto& w : weights) {
        paths.push_back(name + "/" + w.name);
        const auto size = std::size_t(w.shape.size());
        const auto object = group + "/" + paths.back();
        if (w.type == "float64")
          file.write(object, std::vector<double>(size, w.value), w.shape);
        else if (w.type == "int32")
          file.write(object, std::vector<std::int32_t>(size, 1), w.shape);
        else
          file.write(object, std::vector<float>(size, w.value), w.shape);
      }
      file.attribute(group, "weight_names", paths);
    }
    file.attribute("/model_weights", "layer_names", layers);
    file.close();
    return path;
  }
  std::string refusal() const {
    return message_of<Error>([&] { run::import_keras(write(config_.dump()), {}); });
  }
  void expect_refusal(const std::string& what) const {
    const auto message = refusal();
    EXPECT_NE(message.find(what), std::string::npos) << message;
    EXPECT_EQ(message.find('\n'), std::string::npos) << message;
    EXPECT_NE(message.find("model.h5: "), std::string::npos) << message;
  }

  Json config_;
  std::vector<LayerWeights> weights_;
  TemporaryFolder folder_;
};

TEST_F(KerasFiles, AreTakenWithNotesOfWhatWasGuessed) {
  options(1)["recurrent_dropout"] = 0.25;
  const auto imported = run::import_keras(write(config_.dump()), {});
  const auto& r = imported.record;
  EXPECT_EQ(r.label_names, (std::vector<std::string>{"class_0", "class_1", "class_2"}));
  ASSERT_EQ(imported.notes.size(), 3u);
  EXPECT_NE(imported.notes[0].find("names no labels"), std::string::npos);
  EXPECT_NE(imported.notes[1].find("13 coefficients of mfcc"), std::string::npos) << imported.notes[1];
  EXPECT_EQ(imported.notes[2],
            "layers[1] 'lstm' (LSTM): recurrent_dropout 0.25 is left out: it works in training alone");
  results::write_result(folder_ / "result.h5", r);
  const auto trained = run::load_trained(folder_ / "result.h5");
  EXPECT_EQ(trained.model.input(), (Shape{22, 13}));
  EXPECT_EQ(trained.model.parameter_count(), 4 * (13 + 4 + 1) * 4 + 4 * 3 + 3);
}

TEST_F(KerasFiles, TakeLabelsAndFeaturesFromTheRequest) {
  write_bytes(folder_ / "features.yaml",
              "features: {kind: log_mel, n_mels: 13, sample_rate: 16000, hop_length: 400}\n"
              "dataset: {segment_seconds: 0.525}\n");
  const auto r =
      run::import_keras(write(config_.dump()), {folder_ / "features.yaml", {"a", "b", "c"}, {}}).record;
  EXPECT_EQ(r.label_names, (std::vector<std::string>{"a", "b", "c"}));
  EXPECT_NE(r.config.find("sample_rate: 16000"), std::string::npos);
  write_bytes(folder_ / "features.yaml", "features: {kind: log_mel, n_mels: 14}\n");
  const auto message = message_of<RequestError>([&] {
    run::import_keras(write(config_.dump()), {folder_ / "features.yaml", {}, {}});
  });
  EXPECT_NE(message.find("the model takes (22, 13), and the features of"), std::string::npos) << message;
  const auto labels = message_of<RequestError>([&] {
    run::import_keras(write(config_.dump()), {{}, {"a", "b"}, {}});
  });
  EXPECT_NE(labels.find("2 labels, and the model tells 3 classes apart"), std::string::npos) << labels;
}

TEST_F(KerasFiles, TakeAFunctionalModelThatIsAChain) {
  config_["class_name"] = "Functional";
  config_["config"]["input_layers"] = Json::parse(R"([["input_1", 0, 0]])");
  config_["config"]["output_layers"] = Json::parse(R"([["dense", 0, 0]])");
  layer(0)["inbound_nodes"] = Json::array();
  layer(1)["inbound_nodes"] = Json::parse(R"([[["input_1", 0, 0, {}]]])");
  layer(2)["inbound_nodes"] = Json::parse(
      R"([{"args": [{"class_name": "__keras_tensor__", "config": {"keras_history": ["lstm", 0, 0]}}], "kwargs": {}}])");
  EXPECT_EQ(refusal(), "no error");
  layer(2)["inbound_nodes"] = Json::parse(R"([[["lstm", 0, 0, {}], ["input_1", 0, 0, {}]]])");
  expect_refusal("layers[2] 'dense' (Dense): takes lstm, input_1, and not the layer before it alone");
  layer(2)["inbound_nodes"] = Json::parse(R"([[["lstm", 0, 0, {}]], [["lstm", 1, 0, {}]]])");
  expect_refusal("layers[2] 'dense' (Dense): is used 2 times");
  layer(2)["inbound_nodes"] = Json::parse(R"([[["lstm", 0, 0, {}]]])");
  config_["config"]["output_layers"] = Json::parse(R"([["dense", 0, 0], ["lstm", 0, 0]])");
  expect_refusal("the model's output is dense, lstm, and not its last layer");
}

TEST_F(KerasFiles, TakeBlocksThatAnAddEnds) {
  config_ = Json::parse(R"({"class_name": "Functional", "config": {"name": "model", "layers": [
    {"class_name": "InputLayer", "name": "in", "inbound_nodes": [],
     "config": {"batch_input_shape": [null, 22, 13], "dtype": "float32", "name": "in"}},
    {"class_name": "Dense", "name": "a", "config": {"name": "a", "units": 13, "activation": "tanh"},
     "inbound_nodes": [[["in", 0, 0, {}]]]},
    {"class_name": "Dropout", "name": "b", "config": {"name": "b", "rate": 0.5}, "inbound_nodes": [[["in", 0, 0, {}]]]},
    {"class_name": "Add", "name": "sum", "config": {"name": "sum"},
     "inbound_nodes": [[["in", 0, 0, {}], ["a", 0, 0, {}]]]},
    {"class_name": "GlobalAveragePooling1D", "name": "mean", "config": {"name": "mean"},
     "inbound_nodes": [[["sum", 0, 0, {}]]]},
    {"class_name": "Dense", "name": "dense", "config": {"name": "dense", "units": 3, "activation": "softmax"},
     "inbound_nodes": [[["mean", 0, 0, {}]]]}],
    "input_layers": [["in", 0, 0]], "output_layers": [["dense", 0, 0]]}})");
  weights_ = {{"a", {{"kernel:0", {13, 13}}, {"bias:0", {13}}}},
              {"dense", {{"kernel:0", {13, 3}}, {"bias:0", {3}}}}};
  expect_refusal("1 of the model's layers do not lead to its output");  // b
  auto& layers = config_["config"]["layers"];
  layers[3]["inbound_nodes"] = Json::parse(R"([[["b", 0, 0, {}], ["a", 0, 0, {}]]])");
  EXPECT_EQ(refusal(), "no error");
  layers.erase(2);
  layers[2]["inbound_nodes"] = Json::parse(R"([[["in", 0, 0, {}], ["a", 0, 0, {}]]])");  // the shortcut first
  EXPECT_EQ(refusal(), "no error");
  const auto r = run::import_keras(write(config_.dump()), {}).record;
  EXPECT_NE(r.config.find("residual:"), r.config.npos) << r.config;
  EXPECT_EQ(r.weights.size(), 4u);
  layers[2]["inbound_nodes"] = Json::parse(R"([[["in", 0, 0, {}], ["in", 0, 0, {}]]])");
  expect_refusal("layers[2] 'sum' (Add): adds an array to itself");
  layers[2]["inbound_nodes"] = Json::parse(R"([[["in", 0, 0, {}]]])");
  expect_refusal("layers[2] 'sum' (Add): takes in, and not the layer before it alone");
  layers[2]["inbound_nodes"] = Json::parse(R"([[["a", 0, 0, {}], ["dense", 0, 0, {}]]])");
  expect_refusal("layers[2] 'sum' (Add): takes dense, which is no layer before it");
}

TEST_F(KerasFiles, AreRefusedByThePlaceOfWhatIsNotKnown) {
  const auto whole = config_;
  const auto changed = [&](auto change, const std::string& what) {
    config_ = whole;
    change();
    expect_refusal(what);
  };
  changed([&] { layer(1)["class_name"] = "Lambda"; },
          "layers[1] 'lstm' (Lambda): Timbre has no such layer; it has ");
  changed([&] { layer(1)["class_name"] = "SimpleRNN"; },
          "layers[1] 'lstm' (SimpleRNN): Timbre has no such layer");
  changed([&] { layer(1)["class_name"] = "Sequential"; },
          "layers[1] 'lstm' (Sequential): is a model within the model");
  changed([&] { layer(1)["module"] = "my.layers"; },
          "layers[1] 'lstm' (LSTM): is of the module my.layers, and not Keras's own");
  changed(
      [&] { options(1)["recurrent_activation"] = "hard_sigmoid"; },
      "layers[1] 'lstm' (LSTM): recurrent_activation is \"hard_sigmoid\"; Timbre computes \"sigmoid\" alone");
  changed([&] { options(1)["stateful"] = true; },
          "layers[1] 'lstm' (LSTM): stateful is true; Timbre computes false alone");
  changed([&] { options(1)["time_major"] = true; },
          "layers[1] 'lstm' (LSTM): time_major true has no counterpart");
  changed([&] { options(1)["dtype"] = "float64"; },
          "layers[1] 'lstm' (LSTM): computes in another type than float32");
  changed(
      [&] {
        options(1)["dtype"] =
            Json::parse(R"({"class_name": "DTypePolicy", "config": {"name": "mixed_float16"}})");
      },
      "layers[1] 'lstm' (LSTM): computes in another type than float32");
  changed([&] { options(2)["activation"] = "gelu"; }, "layers[2] 'dense' (Dense): activation: ");
  changed(
      [&] {
        options(2)["activation"] = Json::object({{"class_name", "function"}});
      },
      "layers[2] 'dense' (Dense): activation {\"class_name\":\"function\"} is not known");
  changed([&] { options(2)["units"] = -1; }, "layers[2] 'dense' (Dense): units: must be between 1 and ");
  changed([&] { options(2)["units"] = 1000000000000; },
          "layers[2] 'dense' (Dense): units: must be between 1 and ");
  changed([&] { options(2)["units"] = "classes"; },
          "layers[2] 'dense' (Dense): units \"classes\" is no whole number");
  changed([&] { options(2)["name"] = "lstm"; }, "layers[2] 'lstm' (Dense): has the name of another layer");
  changed([&] { options(2)["activation"] = "relu"; }, "must end in activation: softmax");
  changed(
      [&] {
        options(0)["batch_input_shape"] = Json::array({nullptr, 128});
      },
      "the model's input is [null,128]; Timbre's networks take");
  changed(
      [&] {
        options(0)["batch_input_shape"] = Json::array({nullptr, 1000000000000, 13});
      },
      "is no possible size");
  changed([&] { options(0).erase("batch_input_shape"); }, "the model's input is not said");
  changed([&] { config_["class_name"] = "MyModel"; },
          "the model is a MyModel; Sequential and Functional are read");
  changed([&] { config_["config"]["layers"] = Json::array(); }, "the model's input is not said");
  changed([&] { config_.erase("config"); }, "the model's configuration says no layers");
}

TEST_F(KerasFiles, AreRefusedForWeightsThatAreMissingOrOther) {
  const auto whole = weights_;
  const auto changed = [&](auto change, const std::string& what) {
    weights_ = whole;
    change();
    expect_refusal(what);
  };
  changed([&] { weights_[1].weights.pop_back(); }, "layers[2] 'dense' (Dense): its weights lack bias (3,)");
  changed([&] { weights_.pop_back(); }, "layers[2] 'dense' (Dense): its weights lack kernel (4, 3)");
  changed(
      [&] {
        weights_[1].weights[0].shape = {3, 4};
      },
      "layers[2] 'dense' (Dense): kernel is (3, 4), and must be (4, 3)");
  changed([&] { weights_[1].weights[0].type = "float64"; },
          "layers[2] 'dense' (Dense): kernel holds float64; float32 is read");
  changed([&] { weights_[1].weights[1].type = "int32"; },
          "layers[2] 'dense' (Dense): bias holds int32; float32 is read");
  changed([&] { weights_[0].weights[2].value = std::numeric_limits<float>::infinity(); },
          "layers[1] 'lstm' (LSTM): bias holds numbers that are not finite");
  changed(
      [&] {
        weights_[1].weights.push_back({"more:0", {3}});
      },
      "layers[2] 'dense' (Dense): has 3 arrays of weights, and must have 2");
}

TEST_F(KerasFiles, AreRefusedWhereTheirJsonIsNone) {
  const auto message = [&](const std::string& config) {
    return message_of<Error>([&] { run::import_keras(write(config), {}); });
  };
  EXPECT_NE(message("{").find("the model's configuration: is no JSON"), std::string::npos);
  EXPECT_NE(message("[]").find("the model is of no class that the file says"), std::string::npos);
  EXPECT_NE(message(std::string(100'000, '[')).find("is nested deeper than 64"), std::string::npos);
  EXPECT_NE(message("\xff\xfe").find("is no JSON"), std::string::npos);
}

TEST_F(KerasFiles, ThatAreCutAnywhereGiveOneLineAndNoMemory) {
  const auto h5 = bytes_of(write(config_.dump()));
  const auto e = small_example("{n_mfcc: 13}", small_model);
  write_keras_archive(folder_ / "whole.keras", e.outgoing());
  const auto archive = bytes_of(folder_ / "whole.keras");
  rusage before{}, after{};
  ::getrusage(RUSAGE_CHILDREN, &before);
  for (const auto* bytes : {&h5, &archive})
    for (int part = 0; part < 12; ++part) {
      write_bytes(folder_ / "cut",
                  std::string_view(*bytes).substr(0, bytes->size() * std::size_t(part) / 12));
      const auto message = message_of<Error>([&] { run::import_keras(folder_ / "cut", {}); });
      EXPECT_NE(message, "no error") << part;
      EXPECT_EQ(message.find('\n'), std::string::npos) << message;
    }
  ::getrusage(RUSAGE_CHILDREN, &after);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  EXPECT_LT(after.ru_maxrss, std::max<long>(before.ru_maxrss, 1 << 20)) << "more than 1 GiB";
#endif
}

/// An archive with its configuration and its HDF5 file changed.
TEST_F(KerasFiles, AsArchivesAreDoubtedInEveryMember) {
  const auto e = small_example("{n_mfcc: 13}", small_model);
  write_keras_archive(folder_ / "whole.keras", e.outgoing());
  const auto bytes = bytes_of(folder_ / "whole.keras");
  const auto zip = zip_of(bytes);
  const auto message = [&](auto change) {
    std::vector<ZipMember> members;
    for (const auto& m : zip.members()) members.push_back({m.name, zip.read(m.name, 1 << 26)});
    change(members);
    write_bytes(folder_ / "model.keras", zip_archive(members));
    return message_of<Error>([&] { run::import_keras(folder_ / "model.keras", {}); });
  };
  EXPECT_EQ(message([](auto&) {}), "no error");
  const auto shown = (folder_ / "model.keras").string();
  EXPECT_EQ(message([](auto& m) { m.erase(m.begin() + 2); }), shown + ": it holds no model.weights.h5");
  EXPECT_EQ(message([](auto& m) { m.erase(m.begin() + 1); }),
            shown + ": is a zip archive, but no model of Keras: it holds no config.json");
  EXPECT_NE(message([](auto& m) { m[2].bytes = "no HDF5"; }).find("is no HDF5 file, or damaged"),
            std::string::npos);
  EXPECT_NE(message([](auto& m) { m[2].bytes.resize(m[2].bytes.size() / 2); }).find(shown),
            std::string::npos);
  EXPECT_NE(message([](auto& m) { m[1].bytes = "{}"; }).find("the model is of no class"), std::string::npos);
  EXPECT_NE(message([](auto& m) { m[3].bytes = "{"; }).find("is no JSON"), std::string::npos);
  EXPECT_EQ(message([](auto& m) { m.pop_back(); }), "no error");  // one that Timbre did not write
}

TEST_F(KerasFiles, OfOtherKindsAreNamed) {
  const auto message = [&](const std::string& bytes) {
    write_bytes(folder_ / "file", bytes);
    return message_of<RequestError>([&] { run::import_keras(folder_ / "file", {}); });
  };
  EXPECT_NE(message("text").find("is not an HDF5 file"), std::string::npos);
  EXPECT_NE(message(zip_archive({{"a", "b"}})).find("is a zip archive, but no model of Keras"),
            std::string::npos);
  EXPECT_NE(message_of<RequestError>([&] { run::import_keras(folder_ / "none", {}); }).find("no such file"),
            std::string::npos);
  auto file = storage::H5File::create(folder_ / "weights.h5");
  file.attribute("/", "layer_names", std::vector<std::string>{"dense"});
  file.close();
  EXPECT_NE(
      message_of<Error>([&] { run::import_keras(folder_ / "weights.h5", {}); }).find("holds weights alone"),
      std::string::npos);
}

}  // namespace
}  // namespace timbre::exchange
