// The models of configs/ after a few steps of training: saved, read back, and loaded by Keras.
#include <gtest/gtest.h>

#include <cstdlib>

#include "core/error.hpp"
#include "core/philox.hpp"
#include "nn/model.hpp"
#include "record.hpp"
#include "training/step.hpp"
#include "training/trainer.hpp"

namespace timbre::results {
namespace {

using test::message_of;
using test::TemporaryFolder;

constexpr std::int64_t T = 130, classes = 10, rows = 12;

struct Tried {
  const char* name;  // of a file of configs/, or of the layers here
  std::int64_t coefficients;
  const char* layers = nullptr;
};

void PrintTo(const Tried& t, std::ostream* out) { *out << t.name; }

class ConfiguredModel : public testing::TestWithParam<Tried> {
 protected:
  void SetUp() override {
    const auto& tried = GetParam();
    const auto root =
        tried.layers ? config::parse_text(std::string("model: ") + tried.layers, "test.yaml", ".")
                     : config::load_file(std::string(TIMBRE_SOURCE_DIR "/configs/") + tried.name + ".yaml");
    const auto known = nn::LayerRegistry::instance().names();
    for (const auto& layer : root.find("model")->items) {
      const auto name = layer.is_map() ? layer.entries[0].first : layer.scalar;
      if (std::find(known.begin(), known.end(), name) == known.end()) GTEST_SKIP() << "no layer " << name;
    }
    model_ = nn::Model::parse({*root.find("model"), "model"}, {T, tried.coefficients}, classes, {});
    PhiloxSequence random(1, stream::synthetic);
    features_.resize(std::size_t(rows * model_.input().size()));
    for (auto& x : features_) x = float(random.normal());
    if (model_.mask_value())  // steps at the beginning, inside and at the end; a whole row
      for (std::int64_t step = 0; step < rows * T; ++step)
        if (step % 11 < 4 || step / T == 7)
          std::fill_n(features_.begin() + step * tried.coefficients, tried.coefficients,
                      *model_.mask_value());
    for (std::int32_t i = 0; i < rows; ++i) label_.push_back(i % classes), all_.push_back(i);
  }
  nn::Model model_;
  std::vector<float> features_;
  std::vector<std::int32_t> label_, all_;
};

TEST_P(ConfiguredModel, IsReadBackAndLoadsInKeras) {
  const TemporaryFolder folder;
  training::TrainingOptions defaults;
  ThreadPool pool(2);
  const auto step =
      training::make_cpu_step({&model_, defaults.loss.get(), defaults.optimizer.get(), rows, 3}, pool);
  const data::MemoryRows source(features_.data(), rows, model_.input().size());
  step->bind(source, label_.data());
  for (int i = 0; i < 3; ++i)
    step->train(all_);  // so that moving statistics and biases are not as they began
  const auto scores = step->evaluate(all_);
  const auto state = step->export_state();

  auto r = example_record();
  r.feature_mean.clear(), r.feature_std.clear(), r.validation.reset();
  r.label_names.resize(classes);
  r.split.test = all_;
  r.test = evaluate(scores.probabilities, label_, all_, all_, std::vector<std::string>(rows, "x"));
  r.model_config = model_config(GetParam().name, model_).dump();
  r.weights = model_weights(model_, state.arena);
  write_result(folder / "result.h5", r);
  const auto back = read_result(folder / "result.h5");
  std::vector<float> arena(model_.arena_size());
  load_weights(model_, back.weights, arena);
  EXPECT_EQ(arena, state.arena);

  const char* python = std::getenv("TIMBRE_PYTHON");
  if (!python) GTEST_SKIP() << "TIMBRE_PYTHON names no Python with keras, tf_keras and h5py";
  auto file = storage::H5File::create(folder / "features.h5");
  file.write("/features", features_, {rows, T, GetParam().coefficients});
  file.write("/label", label_, {rows});
  file.close();
  const auto command = fmt::format("{} {}/tests/results/check_keras.py {} {} > {} 2>&1", python,
                                   TIMBRE_SOURCE_DIR, (folder / "result.h5").string(),
                                   (folder / "features.h5").string(), (folder / "log").string());
  EXPECT_EQ(std::system(command.c_str()), 0) << test::bytes_of(folder / "log");
}

TEST_P(ConfiguredModel, RefusesWeightsOfAnotherModel) {
  std::vector<float> arena(model_.arena_size());
  model_.initialise(0, arena.data());
  const auto weights = model_weights(model_, arena);
  const auto message = [&](auto change) {
    auto changed = weights;
    change(changed);
    return message_of<Error>([&] { load_weights(model_, changed, arena); });
  };
  EXPECT_NE(message([](auto& w) { w.pop_back(); }).find("end before bias of layer"), std::string::npos);
  EXPECT_NE(message([](auto& w) { w.push_back(w.back()); }).find("one too many"), std::string::npos);
  EXPECT_NE(message([](auto& w) { std::swap(w[0], w[1]); }).find("do not fit the model: " + weights[0].name),
            std::string::npos);
}

// Every layer that configs/ does not use, with options that Keras might read otherwise.
constexpr const char* sequence_layers =
    "[random_crop: 101, conv1d: {filters: 8, kernel_size: 5, strides: 2, padding: same, activation: "
    "leaky_relu}, max_pooling1d: {pool_size: 2}, "
    "layer_normalization, spatial_dropout1d: 0.1, gaussian_noise: 0.1, average_pooling1d: {pool_size: 3, "
    "strides: 2, padding: "
    "same}, bidirectional: {layer: {lstm: {units: 5, return_sequences: true}}}, activation: gelu, permute: "
    "[2, 1], "
    "permute: [2, 1], bidirectional: {layer: {gru: {units: 4, return_sequences: true}}, merge_mode: mul}, "
    "dense: 6, "
    "activation: silu, global_average_pooling1d, dense: {units: 12, activation: selu}, reshape: "
    "{target_shape: [4, 3]}, "
    "global_max_pooling1d, dense: {units: classes, activation: softmax}]";
constexpr const char* picture_layers =
    "[conv2d: {filters: 6, kernel_size: 3, strides: 2, activation: selu}, spatial_dropout2d: 0.1, "
    "average_pooling2d: "
    "{pool_size: [3, 2], strides: 2, padding: same}, permute: [2, 1, 3], global_average_pooling2d, "
    "layer_normalization: "
    "{scale: false}, reshape: [3, 2], conv2d: {filters: 4, kernel_size: 2, padding: same}, "
    "global_max_pooling2d, dense: "
    "{units: classes, activation: softmax}]";

constexpr const char* picture_blocks =
    "[residual: {layers: [conv2d: {filters: 4, kernel_size: 3, strides: 2, padding: same}, "
    "batch_normalization, activation: "
    "relu, conv2d: {filters: 4, kernel_size: 3, padding: same}, batch_normalization]}, dropout: 0.2, "
    "residual: [conv2d: "
    "{filters: 4, kernel_size: 3, padding: same, activation: tanh}], global_average_pooling2d, dense: "
    "{units: classes, "
    "activation: softmax}]";
// Branches of different lengths, layers that see (T, F) as pictures, none that a block gives.
constexpr const char* sequence_blocks =
    "[dense: 6, residual: {layers: [gru: {units: 6, return_sequences: true}, layer_normalization], "
    "activation: linear}, "
    "residual: {layers: [conv1d: {filters: 7, kernel_size: 3, strides: 2, padding: same}]}, residual: "
    "{layers: [conv2d: "
    "{filters: 3, kernel_size: 3, strides: 2, padding: same}], activation: tanh}, reshape: [2, -1], "
    "residual: {layers: [dense: "
    "5], shortcut: [dense: 4, activation: tanh, layer_normalization, dense: 5]}, flatten, residual: {layers: "
    "[dense: 5]}, "
    "dense: {units: classes, activation: softmax}]";

constexpr const char* masked_layers =
    "[masking: 0.5, layer_normalization, lstm: {units: 6, return_sequences: true}, dropout: 0.1, gru: "
    "{units: 5, "
    "return_sequences: true, go_backwards: true}, bidirectional: {layer: {lstm: {units: 4, return_sequences: "
    "true}}, "
    "merge_mode: ave}, residual: {layers: [dense: 4], activation: linear}, bidirectional: {layer: {gru: 3}}, "
    "dense: {units: "
    "classes, activation: softmax}]";

INSTANTIATE_TEST_SUITE_P(
    Models, ConfiguredModel,
    testing::Values(Tried{"mlp", 13}, Tried{"lstm", 13}, Tried{"cnn", 13}, Tried{"gru", 13},
                    Tried{"log_mel_cnn", 64}, Tried{"crnn", 64}, Tried{"short_chunk_cnn", 128},
                    Tried{"picture_blocks", 40, picture_blocks},
                    Tried{"sequence_blocks", 13, sequence_blocks}, Tried{"masked", 13, masked_layers},
                    Tried{"sequences", 13, sequence_layers}, Tried{"pictures", 40, picture_layers}),
    [](const auto& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace timbre::results
