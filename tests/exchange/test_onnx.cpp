// ONNX files: their bytes read back, and what onnxruntime computes with them.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>

#include "exchange/onnx.hpp"
#include "exchange/protobuf.hpp"
#include "nn/layers/keras_options.hpp"
#include "read_protobuf.hpp"
#include "support.hpp"

namespace timbre::exchange {
namespace {

using namespace test;

TEST(Protobuf, WritesTheBytesOfTheEncodingsDocument) {
  EXPECT_EQ(ProtoMessage().integer(1, 150).bytes(), "\x08\x96\x01");
  EXPECT_EQ(ProtoMessage().text(2, "testing").bytes(), "\x12\x07testing");
  EXPECT_EQ(ProtoMessage().message(3, ProtoMessage().integer(1, 150)).bytes(), "\x1a\x03\x08\x96\x01");
  EXPECT_EQ(ProtoMessage().packed(6, {3, 270, 86942}).bytes(), "\x32\x06\x03\x8e\x02\x9e\xa7\x05");
  EXPECT_EQ(ProtoMessage().integer(1, -2).bytes(), "\x08\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01");
  EXPECT_EQ(ProtoMessage().single(16, 1.0f).bytes(), std::string("\x85\x01\x00\x00\x80\x3f", 6));
  EXPECT_EQ(ProtoMessage().number(1, 1.0).bytes(), std::string("\x09\x00\x00\x00\x00\x00\x00\xf0\x3f", 9));
}

/// The graph read back: every constant fills its shape, every operator takes what is there.
struct ReadGraph {
  std::multiset<std::string> operators;
  std::map<std::string, std::vector<std::int64_t>> constants;
  std::map<std::string, std::string> metadata;
  std::string input;
  std::vector<std::int64_t> input_shape;

  explicit ReadGraph(std::string_view model) {
    EXPECT_EQ(field(model, 1).integer, 8u);
    EXPECT_EQ(field(model, 2).bytes, "timbre");
    EXPECT_EQ(field(field(model, 8).bytes, 2).integer, 17u);
    for (const auto& entry : fields(model, 14))
      metadata[std::string(field(entry.bytes, 1).bytes)] = field(entry.bytes, 2).bytes;
    const auto graph = field(model, 7).bytes;
    std::set<std::string, std::less<>> known;
    for (const auto& tensor : fields(graph, 5)) {
      std::int64_t size = field(tensor.bytes, 2).integer == 1 ? 4 : 8;
      std::vector<std::int64_t> shape;
      if (!fields(tensor.bytes, 1).empty()) shape = packed_integers(field(tensor.bytes, 1).bytes);
      for (const auto extent : shape) size *= extent;
      const std::string name(field(tensor.bytes, 8).bytes);
      EXPECT_EQ(std::int64_t(field(tensor.bytes, 9).bytes.size()), size) << name;
      EXPECT_TRUE(known.insert(name).second) << name;
      constants[name] = shape;
    }
    const auto given = field(graph, 11).bytes;
    input = field(given, 1).bytes;
    known.insert(input);
    for (const auto& dim : fields(field(field(field(given, 2).bytes, 1).bytes, 2).bytes, 1))
      input_shape.push_back(fields(dim.bytes, 1).empty() ? -1 : std::int64_t(field(dim.bytes, 1).integer));
    for (const auto& node : fields(graph, 1)) {
      operators.insert(std::string(field(node.bytes, 4).bytes));
      for (const auto& name : fields(node.bytes, 1)) EXPECT_TRUE(known.contains(name.bytes)) << name.bytes;
      for (const auto& name : fields(node.bytes, 2))
        EXPECT_TRUE(name.bytes.empty() || known.insert(std::string(name.bytes)).second) << name.bytes;
    }
    EXPECT_EQ(field(field(graph, 12).bytes, 1).bytes, "probabilities");
    EXPECT_TRUE(known.contains("probabilities"));
  }
};

TEST(OnnxFile, IsAGraphOfTheNetwork) {
  const auto e = example_of("lstm");
  const auto bytes = onnx_file(e.outgoing(), false);
  EXPECT_EQ(bytes, onnx_file(e.outgoing(), false));
  const ReadGraph g(bytes);
  EXPECT_EQ(g.input, "features");
  EXPECT_EQ(g.input_shape, (std::vector<std::int64_t>{-1, 130, 13}));
  EXPECT_EQ(g.operators.count("LSTM"), 2u);
  EXPECT_EQ(g.operators.count("MatMul"), 3u);
  EXPECT_EQ(g.operators.count("Sub"), 0u);  // the run did not standardise
  EXPECT_EQ(nlohmann::json::parse(g.metadata.at("labels")).size(), 10u);
  EXPECT_EQ(g.metadata.at("sample_rate"), "22050");
  EXPECT_EQ(g.metadata.at("segment_samples"), "66150");
  EXPECT_NE(g.metadata.at("features").find("n_mfcc: 13"), std::string::npos);
  EXPECT_FALSE(g.metadata.at("licence").empty());
  EXPECT_FALSE(g.metadata.at("timbre_version").empty());
  EXPECT_EQ(g.metadata.at("configuration").find("gtzan"), std::string::npos) << "a place of data leaves";
}

TEST(OnnxFile, IsAGraphOfTheWholeWayFromAudio) {
  const auto e = example_of("mlp");
  const ReadGraph g(onnx_file(e.outgoing(), true));
  EXPECT_EQ(g.input, "audio");
  EXPECT_EQ(g.input_shape, (std::vector<std::int64_t>{-1, 66150}));
  EXPECT_EQ(g.operators.count("STFT"), 1u);
  EXPECT_EQ(g.operators.count("Conv"), 0u);
  // Of a cepstrum's mean, and of the standardisation.
  EXPECT_EQ(g.operators.count("Sub"), 3u);
  EXPECT_LT(onnx_file(e.outgoing(), true).size(), std::size_t(6) << 20);
}

TEST(OnnxFile, ChoosesTheTransformBySize) {
  for (const auto& [n_fft, stft] : std::vector<std::pair<int, bool>>{
           {2048, true}, {4096, true}, {1024, false}, {400, false}, {2000, false}}) {
    nn::OnnxGraph g;
    features::FeatureOptions options;
    options.n_fft = n_fft, options.kind = "spectrogram";
    add_features(g, options, 22050, "audio");
    std::multiset<std::string> operators;
    for (const auto& node : g.nodes()) operators.insert(node.op);
    EXPECT_EQ(operators.count("STFT"), stft ? 1u : 0u) << n_fft;
    EXPECT_EQ(operators.count("Conv"), stft ? 0u : 1u) << n_fft;
  }
}

TEST(OnnxFile, RefusesWhatOnnxCannotPad) {
  features::FeatureOptions options;
  options.pad_mode = "reflect";
  nn::OnnxGraph g;
  const auto message = message_of<Error>([&] { add_features(g, options, 1000, "audio"); });
  EXPECT_NE(message.find("features.pad_mode: reflect mirrors a segment of 1000 samples"), std::string::npos)
      << message;
  EXPECT_EQ(message_of<Error>([&] { add_features(g, options, 1025, "audio"); }), "no error");
}

// A layer and a feature that declare no mapping.
struct UnmappedOptions {
  static constexpr auto part = "unmapped_for_test";
};
const config::Schema<UnmappedOptions>& schema(config::of<UnmappedOptions>) {
  static const auto s = config::Schema<UnmappedOptions>("a layer of the test");
  return s;
}
class UnmappedLayer final : public config::WithOptions<nn::Layer, UnmappedOptions> {
 public:
  UnmappedLayer(UnmappedOptions options, std::int64_t) : WithOptions(options) {}
  Shape infer(const Shape& input) const override { return input; }
  std::string keras_class() const override { return "UnmappedForTest"; }
  nlohmann::ordered_json keras_config() const override { return nlohmann::ordered_json::object(); }
};
const nn::LayerRegistration<UnmappedLayer, UnmappedOptions> unmapped{{{"", {4}}}};
const Registration<features::FeatureType> feature{
    "unmapped_for_test",
    {.summary = "a feature of the test",
     .width = [](const features::FeatureOptions&) -> std::int64_t { return 1; }}};

TEST(OnnxFile, NamesALayerWithoutAMapping) {
  const auto root = config::parse_text(
      "[flatten, unmapped_for_test, dense: {units: classes, activation: softmax}]", "test", "");
  const auto model = nn::Model::parse(config::Reader(root, "model"), {4, 3}, 10, {});
  const std::vector<float> arena(std::size_t(model.arena_size()));
  nn::OnnxGraph g;
  EXPECT_EQ(message_of<Error>([&] { add_network(g, model, arena, "features"); }),
            "model[1].unmapped_for_test: has no mapping to ONNX");
}

TEST(OnnxFile, NamesAFeatureWithoutAMapping) {
  features::FeatureOptions options;
  options.kind = "unmapped_for_test";
  nn::OnnxGraph g;
  EXPECT_EQ(message_of<Error>([&] { add_features(g, options, 22050, "audio"); }),
            "features.kind: unmapped_for_test has no mapping to ONNX");
}

TEST(OnnxFile, SharesTheTransformOfStackedFeatures) {
  features::FeatureOptions options, part;
  options.stack = {part, part};
  options.stack[1].kind = "log_mel", options.stack[1].delta = 2;
  nn::OnnxGraph g;
  add_features(g, options, 22050, "audio");
  std::multiset<std::string> operators;
  for (const auto& node : g.nodes()) operators.insert(node.op);
  EXPECT_EQ(operators.count("STFT"), 1u);
  EXPECT_EQ(g.nodes().back().op, "Concat");
  EXPECT_EQ(g.nodes().back().inputs.size(), 4u);
  options.stack.push_back(part), options.stack[2].kind = "rms";
  EXPECT_EQ(message_of<Error>([&] { add_features(g, options, 22050, "audio"); }),
            "features.kind: rms has no mapping to ONNX");
}

TEST(OnnxFile, HasAMappingForEveryLayerThatTimbreHas) {
  for (const auto& name : nn::LayerRegistry::instance().names()) {
    const auto* type = nn::LayerRegistry::instance().find(name);
    if (name == "unmapped_for_test") continue;
    for (const auto& example : type->examples) {
      const auto node = config::parse_text(name + ": " + example.options, "example", "");
      const auto layer = type->parse(*node.find(name), 10);
      nn::OnnxGraph g;
      nn::OnnxPlace place{g, "x", example.input, layer->infer(example.input), {}};
      std::vector<std::vector<float>> weights;
      for (const auto& p : layer->parameters(example.input))
        weights.emplace_back(std::size_t(p.shape.size()), 1.0f);
      for (const auto& w : weights) place.weights.push_back(w);
      EXPECT_NO_THROW(layer->to_onnx(place)) << name;
    }
  }
}

// ---- what onnxruntime computes; these need TIMBRE_PYTHON

class OnnxRuntime : public testing::TestWithParam<const char*> {};

TEST_P(OnnxRuntime, EqualsTheNetworkFromFeatures) {
  const auto e = example_of(GetParam());
  const TemporaryFolder folder;
  write_bytes(folder / "model.onnx", onnx_file(e.outgoing(), false));
  check_with_python(e, "onnx-features", folder.path(), folder / "model.onnx", 1e-5);
}

TEST_P(OnnxRuntime, EqualsTheNetworkFromAudio) {
  const auto e = example_of(GetParam());
  const TemporaryFolder folder;
  write_bytes(folder / "model.onnx", onnx_file(e.outgoing(), true));
  check_with_python(e, "onnx-audio", folder.path(), folder / "model.onnx", 1e-4);
}

INSTANTIATE_TEST_SUITE_P(Configurations, OnnxRuntime,
                         testing::Values("mlp", "lstm", "cnn", "log_mel_cnn", "gru", "crnn",
                                         "short_chunk_cnn"),
                         [](const auto& info) { return std::string(info.param); });

struct OddCase {
  const char* name;
  const char* features;
  const char* model;
};
void PrintTo(const OddCase& c, std::ostream* out) { *out << c.name; }

class OnnxRuntimeOdd : public testing::TestWithParam<OddCase> {};

TEST_P(OnnxRuntimeOdd, EqualsTheNetwork) {
  const auto e = small_example(GetParam().features, GetParam().model);
  const TemporaryFolder folder;
  write_bytes(folder / "network.onnx", onnx_file(e.outgoing(), false));
  check_with_python(e, "onnx-features", folder.path(), folder / "network.onnx", 1e-5);
  if (testing::Test::IsSkipped()) return;
  write_bytes(folder / "audio.onnx", onnx_file(e.outgoing(), true));
  check_with_python(e, "onnx-audio", folder.path(), folder / "audio.onnx", 1e-4);
}

constexpr const char* end = "[flatten, dense: {units: classes, activation: softmax}]";
INSTANTIATE_TEST_SUITE_P(
    Of, OnnxRuntimeOdd,
    testing::Values(
        OddCase{
            "window_in_the_middle",
            "{kind: mfcc, n_fft: 1024, win_length: 600, hop_length: 256, window: hamming, standardise: true}",
            end},
        OddCase{"stacked",
                "{standardise: true, summary: [mean, std], stack: [mfcc: {n_mfcc: 7, delta: 2}, log_mel: "
                "{n_mels: "
                "20, delta: 1, delta_width: 5}, {spectrogram: {n_fft: 512, delta: 1}}]}",
                end},
        OddCase{"odd_size", "{kind: log_mel, n_fft: 401, hop_length: 160, n_mels: 20, standardise: true}",
                end},
        OddCase{"not_centred",
                "{kind: log_mel, n_fft: 2048, center: false, top_db: null, n_mels: 40, standardise: true}",
                end},
        OddCase{"reflected", "{kind: mfcc, n_fft: 2048, pad_mode: reflect, n_mfcc: 1, standardise: true}",
                end},
        OddCase{"edges",
                "{kind: mfcc, n_fft: 512, pad_mode: edge, mel_scale: htk, norm: none, standardise: true}",
                end},
        OddCase{"amplitude", "{kind: mel, n_fft: 2048, power: 1, n_mels: 30, standardise: true}", end},
        OddCase{"odd_power", "{kind: spectrogram, n_fft: 256, power: 0.5, standardise: true}", end},
        OddCase{"backwards", "{n_mfcc: 13, standardise: true}",
                "[lstm: {units: 6, return_sequences: true, go_backwards: true}, lstm: {units: 5, "
                "go_backwards: true, use_bias: false}, "
                "activation: elu, dense: {units: classes, activation: softmax}]"},
        OddCase{"pictures", "{n_mfcc: 13, standardise: true}",
                "[batch_normalization: {center: false}, conv2d: {filters: 3, kernel_size: [3, 2], strides: "
                "[2, 1], padding: same, use_bias: false, "
                "activation: softmax}, max_pooling2d: {pool_size: [3, 3], strides: [2, 2], padding: same}, "
                "batch_normalization: {scale: false}, flatten, dense: {units: 7, activation: tanh}, "
                "dense: {units: classes}, activation: softmax]"},
        OddCase{
            "sequences", "{n_mfcc: 13, standardise: true}",
            "[random_crop: 20, conv1d: {filters: 8, kernel_size: 5, strides: 2, padding: same, activation: "
            "leaky_relu}, max_pooling1d, "
            "layer_normalization, spatial_dropout1d: 0.1, gaussian_noise: 0.1, average_pooling1d: "
            "{pool_size: 3, strides: "
            "2, padding: same}, bidirectional: {layer: {lstm: {units: 5, return_sequences: true}}}, "
            "activation: gelu, "
            "permute: [2, 1], permute: [2, 1], bidirectional: {layer: {gru: {units: 4, return_sequences: "
            "true}}, "
            "merge_mode: mul}, gru: {units: 5, return_sequences: true, go_backwards: true, use_bias: "
            "false}, activation: "
            "silu, bidirectional: {layer: {gru: 4}, merge_mode: ave}, reshape: {target_shape: [2, 2]}, "
            "global_average_pooling1d, dense: {units: classes, activation: softmax}]"},
        OddCase{
            "more_pictures", "{n_mfcc: 13, standardise: true}",
            "[conv2d: {filters: 6, kernel_size: 3, strides: 2, activation: selu}, spatial_dropout2d: 0.1, "
            "average_pooling2d: {pool_size: [3, 2], strides: 2, padding: same}, permute: [2, 1, 3], "
            "layer_normalization: {scale: false}, global_average_pooling2d, reshape: [3, 2], "
            "global_max_pooling2d, "
            "dense: {units: classes, activation: softmax}]"},
        OddCase{"blocks", "{n_mfcc: 13, standardise: true}",
                "[dense: 6, residual: {layers: [gru: {units: 6, return_sequences: true}, dropout: 0.1], "
                "activation: "
                "linear}, residual: {layers: [conv1d: {filters: 4, kernel_size: 3, strides: 2, padding: "
                "same}]}, flatten, "
                "residual: {layers: [dense: 5], activation: tanh}, dense: {units: classes, activation: "
                "softmax}]"},
        OddCase{"masked", "{kind: mel, n_mels: 16, standardise: true}",
                "[masking, dense: {units: 6, activation: tanh}, lstm: {units: 5, return_sequences: true}, "
                "gru: {units: 4, "
                "return_sequences: true, go_backwards: true}, bidirectional: {layer: {lstm: {units: 3, "
                "return_sequences: "
                "true}}, merge_mode: mul}, residual: {layers: [gru: {units: 3, return_sequences: true}]}, "
                "bidirectional: "
                "{layer: {gru: 4}}, dense: {units: classes, activation: softmax}]"},
        OddCase{
            "masked_mean", "{kind: mel, n_mels: 16, standardise: true}",
            "[masking, dense: 6, global_average_pooling1d, dense: {units: classes, activation: softmax}]"},
        OddCase{"largest", "{n_mfcc: 13, standardise: true}",
                "[conv1d: {filters: 4, kernel_size: 3}, global_max_pooling1d, dense: {units: classes, "
                "activation: softmax}]"},
        OddCase{"dense_over_frames", "{n_mfcc: 13, standardise: true}",
                "[dense: {units: 4, activation: sigmoid}, flatten, dense: {units: classes, activation: "
                "softmax}]"}),
    [](const auto& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace timbre::exchange
