#include "run/imported.hpp"

#include <nlohmann/json.hpp>
#include <utility>

#include "core/error.hpp"
#include "core/hash.hpp"
#include "core/text.hpp"
#include "exchange/keras_import.hpp"
#include "exchange/keras_reader.hpp"
#include "features/engine.hpp"
#include "results/environment.hpp"
#include "run/run_config.hpp"

namespace timbre::run {

namespace {

namespace fs = std::filesystem;
using config::Node;
using exchange::KerasModel;

/// The units of the last layer that has some.
std::int64_t class_count(const KerasModel& model) {
  for (auto layer = model.layers.items.rbegin(); layer != model.layers.items.rend(); ++layer)
    if (const auto* units = layer->entries.at(0).second.find("units")) return std::stoll(units->scalar);
  fail("no layer of the model has units: it tells no classes apart");
}

std::vector<std::string> labels_for(const KerasModel& model, const ImportOptions& options,
                                    std::vector<std::string>& notes) {
  const auto classes = class_count(model);
  auto labels = options.labels;
  if (labels.empty() && model.description.contains("labels")) {
    const auto own = nlohmann::json::parse(model.description.at("labels"), nullptr, false);
    for (const auto& label : own.is_array() ? own : nlohmann::json::array())
      if (label.is_string()) labels.push_back(label);
  }
  if (labels.empty()) {
    constexpr std::int64_t most_named = 100'000;
    if (classes > most_named) fail("the model tells {} classes apart; {} are the limit", classes, most_named);
    for (std::int64_t c = 0; c < classes; ++c) labels.push_back(fmt::format("class_{}", c));
    notes.push_back("the file names no labels: they are called class_0, class_1, ...; --labels names them");
  }
  if (std::ssize(labels) != classes)
    fail_request("{} labels, and the model tells {} classes apart", labels.size(), classes);
  return labels;
}

/// Copies what says how clips are cut.
void take_cutting(const Node& from, Node& root) {
  const auto* dataset = from.find("dataset");
  auto cut = Node::map();
  for (const auto* key : {"segment", "segment_seconds"})
    if (const auto* value = dataset && dataset->is_map() ? dataset->find(key) : nullptr) cut.set(key, *value);
  root.set("dataset", std::move(cut));
}

/// Features of that shape: MFCCs as the original's for few coefficients, mel bands for many.
void guess_features(const KerasModel& model, Node& root, std::vector<std::string>& notes) {
  const auto number = [](const std::string& text) {
    auto node = Node::plain(text);
    node.origin.source = "guessed from the model's input";
    return node;
  };
  const bool few = model.coefficients <= 40;
  auto features = Node::map();
  features.set("kind", Node::text(few ? "mfcc" : "log_mel"));
  features.set(few ? "n_mfcc" : "n_mels", number(std::to_string(model.coefficients)));
  root.set("features", std::move(features));
  const features::FeatureOptions defaults;
  const data::DatasetOptions usual;
  double seconds = usual.segment_seconds;
  if (model.frames > 0 &&
      features::frame_count(defaults, usual.segment_samples(defaults.sample_rate)) != model.frames)
    seconds = double((model.frames - 1) * defaults.hop_length + 1) / defaults.sample_rate;
  auto dataset = Node::map();
  dataset.set("segment_seconds", number(number_text(seconds)));
  root.set("dataset", std::move(dataset));
  notes.push_back(
      fmt::format("the file does not say what its features are: taken for {} coefficients of {}, {:.2f} s at "
                  "{} Hz with the defaults; "
                  "--config names a configuration that says it",
                  model.coefficients, few ? "mfcc" : "log_mel", seconds, defaults.sample_rate));
}

Node configuration_for(const KerasModel& model, const ImportOptions& options, const std::string& shown,
                       std::vector<std::string>& notes) {
  auto root = Node::map();
  if (options.config) {
    const auto other = config::load_file(*options.config);
    if (const auto* features = other.find("features")) root.set("features", *features);
    take_cutting(other, root);
  } else if (model.description.contains("configuration")) {
    const auto own =
        config::parse_text(model.description.at("configuration"), shown + " (its configuration)", "");
    for (const std::string key : {"experiment", "seed", "features", "regularisation", "training"})
      if (const auto* value = own.find(key)) root.set(key, *value);
    take_cutting(own, root);
  } else {
    guess_features(model, root, notes);
  }
  if (!root.find("features")) root.set("features", Node::map());
  auto* features = root.find("features");
  if (features->is_map())
    features->set("standardise", Node::plain(model.standardisation.mean.empty() ? "false" : "true"));
  root.find("dataset")->set("path", Node::text("unknown"));
  root.set("model", model.layers);
  return root;
}

}  // namespace

Imported import_keras(const fs::path& file, const ImportOptions& options) {
  const auto shown = printable(file.string());
  const auto keras = exchange::read_keras_file(file, options.trust);
  Imported out;
  auto& r = out.record;
  // Errors about the model begin with the file's name.
  const auto named = [&](auto work) {
    try {
      return work();
    } catch (const RequestError& e) {
      fail_request("{}: {}", shown, e.what());
    } catch (const Error& e) {
      fail("{}: {}", shown, e.what());
    }
  };
  const auto found = named([&] { return exchange::understand(keras); });
  r.label_names = named([&] { return labels_for(found, options, out.notes); });
  const auto settings = [&] {
    auto run = parse_run_config(configuration_for(found, options, shown, out.notes));
    const auto samples = run.dataset.segment_samples(run.features.sample_rate);
    const auto shape = features::feature_shape(run.features, samples);
    return std::pair(std::move(run), shape);
  };
  // (Errors of the person's own configuration have its place alone.)
  const auto known = options.config ? settings() : named(settings);
  const auto& run = known.first;
  const auto& input = known.second;
  const Shape wanted{found.frames > 0 ? found.frames : input[0], found.coefficients};
  if (input != wanted)
    fail_request("{}: the model takes {}, and the features of {} are {}", shown, wanted.str(),
                 options.config ? printable(options.config->string()) : "its configuration", input.str());
  const auto classes = std::int64_t(r.label_names.size());
  const auto model = named([&] {
    try {
      return nn::Model::parse(config::Reader(found.layers, "model"), input, classes, {});
    } catch (const RequestError& e) {
      fail("{}", e.what());  // the file is at fault, not the request
    }
  });
  r.weights = named([&] { return exchange::weights_for(found, keras, model); });
  r.experiment = run.experiment;
  r.seed = run.seed;
  r.status = "imported";
  r.message = fmt::format("from {} of Keras {}", printable(file.filename().string()),
                          keras.version.empty() ? "?" : printable(keras.version));
  r.parameters = model.parameter_count(), r.trainable_parameters = model.trainable_parameter_count();
  r.config = config::to_yaml(schema(config::of<RunConfig>{}).dump(run));
  r.environment = results::describe_environment(1);
  r.feature_mean = found.standardisation.mean, r.feature_std = found.standardisation.std;
  r.synthetic =
      found.description.contains("trained_on") && found.description.at("trained_on").starts_with("SYNTHETIC");
  r.model_config = results::model_config(r.experiment, model).dump();
  Hasher hasher;
  hasher.text(r.config).text(r.model_config);
  for (const auto& tensor : r.weights) hasher.bytes(tensor.data.data(), tensor.data.size() * sizeof(float));
  r.key = hasher.hex();
  for (const auto& note : found.notes) out.notes.push_back(note);
  return out;
}

}  // namespace timbre::run
