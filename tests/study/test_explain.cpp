// What --explain and the JSON Schema say of all keys of configurations and studies, held against the reader itself.
#include <gtest/gtest.h>

#include <filesystem>
#include <set>

#include "config/explain.hpp"
#include "config/json_schema.hpp"
#include "config/json_validator.hpp"
#include "nn/layer.hpp"
#include "run/run_config.hpp"
#include "study/study_config.hpp"

namespace timbre::study {
namespace {

namespace fs = std::filesystem;
using config::Node;
using config::Place;

const config::Struct& run_keys() {
  static const auto keys = run::describe_run_config();
  return keys;
}
const config::Struct& study_keys() {
  static const auto keys = describe_study_config();
  return keys;
}

const config::JsonValidator& run_schema() {
  static const config::JsonValidator validator(config::json_schema(run_keys(), "run"));
  return validator;
}
const config::JsonValidator& study_schema() {
  static const config::JsonValidator validator(config::json_schema(study_keys(), "study"));
  return validator;
}

Node yaml(const std::string& text) { return config::parse_text(text, "test.yaml", ""); }

/// A description is a phrase: it says something, and --explain makes a sentence of it.
void expect_phrase(const std::string& text, const std::string& path) {
  EXPECT_GE(std::count(text.begin(), text.end(), ' '), 1) << path << " is not described: '" << text << "'";
  EXPECT_FALSE(text.ends_with('.') || text.ends_with(' ')) << path << ": " << text;
  EXPECT_FALSE(text.find("  ") != text.npos) << path << ": " << text;
}

TEST(Explain, EveryKeyAndEveryPartIsDescribed) {
  std::size_t keys = 0, parts = 0;
  for (const auto* root : {&run_keys(), &study_keys()}) {
    expect_phrase(root->summary, "the whole");
    for (const auto& place : config::places(*root)) {
      if (place.part)
        expect_phrase(place.part->options.summary, place.path), ++parts;
      else if (!place.choice)
        expect_phrase(place.key->text, place.path), ++keys;
    }
  }
  EXPECT_GE(keys, 70u);
  EXPECT_GE(parts, 13u);
}

TEST(Explain, EveryPathLeadsToItself) {
  for (const auto* root : {&run_keys(), &study_keys()}) {
    const auto places = config::places(*root);
    std::set<std::string> paths;
    for (const auto& place : places) {
      EXPECT_TRUE(paths.insert(place.path).second) << place.path << " stands twice";
      EXPECT_EQ(config::find(places, place.path).path, place.path);
    }
  }
}

TEST(Explain, FindsWhatAPersonWouldWrite) {
  const auto places = config::places(run_keys());
  const auto found = [&](const char* path) { return config::find(places, path).path; };
  EXPECT_EQ(found("model[3].dense.units"), "model.dense.units");
  EXPECT_EQ(found("features.mfcc"), "features.mfcc");
  EXPECT_EQ(found("adam.learning_rate"), "training.optimizer.adam.learning_rate");
  EXPECT_EQ(found("lstm"), "model.lstm");
  const auto complaint = [&](const char* path) -> std::string {
    try {
      return found(path);
    } catch (const RequestError& e) {
      return e.what();
    }
  };
  EXPECT_NE(complaint("learning_rate").find("training.optimizer.sgd.learning_rate"), std::string::npos);
  EXPECT_EQ(complaint("training.epoch"), "there is no key 'training.epoch'; did you mean 'training.epochs'?");
  EXPECT_EQ(complaint("leakige"), "there is no key 'leakige'; did you mean 'leakage'?");
  EXPECT_EQ(complaint("xyzzy"), "there is no key 'xyzzy'; --explain alone shows all");
}

TEST(Explain, TellsTypeRangeUnitAndDefault) {
  const auto places = config::places(run_keys());
  const auto text = [&](const char* path) { return config::explain(config::find(places, path), {}); };
  const auto rate = text("features.sample_rate");
  for (const char* words :
       {"whole number", "between 1000 and ", "Hz", "22050 Hz", "--set features.sample_rate=22050"})
    EXPECT_NE(rate.find(words), std::string::npos) << words << " in\n" << rate;
  EXPECT_NE(text("features.mfcc").find("cepstral"), std::string::npos);
  EXPECT_NE(text("model.lstm").find("return_sequences"), std::string::npos);
  EXPECT_NE(text("training.optimizer").find("default  adam"), std::string::npos)
      << text("training.optimizer");
  EXPECT_NE(text("model.lstm.units").find("the key is required"), std::string::npos);
}

TEST(Explain, FitsTheTerminal) {
  for (const std::size_t columns : {60u, 80u, 120u})
    for (const auto* root : {&run_keys(), &study_keys()}) {
      auto text = config::explain(*root, {.columns = columns});
      for (const auto& place : config::places(*root)) text += config::explain(place, {.columns = columns});
      for (std::size_t at = 0; at < text.size();) {
        const auto end = text.find('\n', at);
        const auto line = text.substr(at, end - at);
        const auto words = line.substr(std::min(line.find_first_not_of(' '), line.size()));
        if (words.find(' ') != words.npos) EXPECT_LE(line.size(), columns) << line;
        EXPECT_FALSE(line.ends_with(' ')) << '"' << line << '"';
        at = end + 1;
      }
    }
}

TEST(JsonSchema, AcceptsTheFilesThatComeWithTimbre) {
  const fs::path root = TIMBRE_SOURCE_DIR;
  int runs = 0, studies = 0;
  for (const auto& entry : fs::directory_iterator(root / "configs")) {
    EXPECT_TRUE(run_schema().valid(config::to_json(config::load_file(entry.path())))) << entry.path();
    ++runs;
  }
  for (const auto& entry : fs::directory_iterator(root / "experiments")) {
    if (entry.path().extension() != ".yaml") continue;
    EXPECT_TRUE(study_schema().valid(config::to_json(config::load_file(entry.path())))) << entry.path();
    ++studies;
  }
  EXPECT_GE(runs, 4);
  EXPECT_GE(studies, 4);
}

const std::string right = R"(dataset: {path: songs}
model: [flatten, {dense: {units: classes, activation: softmax}}]
)";

TEST(JsonSchema, RefusesWrongConfigurations) {
  EXPECT_TRUE(run_schema().valid(config::to_json(yaml(right))));
  EXPECT_TRUE(run_schema().valid(config::to_json(yaml(right + "features: [mfcc, rms: {delta: 1}]\n"))));
  EXPECT_TRUE(
      run_schema().valid(config::to_json(yaml(right + "features: {kind: chroma_stft, norm: inf}\n"))));
  for (const std::string wrong : {"sede: 0",
                                  "seed: -1",
                                  "experiment: a/b",
                                  "device: gpu",
                                  "features: {kind: mfc}",
                                  "features: {n_fft: 1}",
                                  "features: [mfc]",
                                  "features: [{rms: {n_mels: 3}}]",
                                  "features: {norm: inf}",
                                  "training: {epochs: many}",
                                  "training: {epochs: 0}",
                                  "training: {optimizer: adamm}",
                                  "training: {optimizer: {adam: {lr: 1}}}",
                                  "training: {optimizer: {adam: {beta_1: 1}}}",
                                  "training: {optimizer: {adam: {}, sgd: {}}}",
                                  "training: {early_stopping: {patience: 0}}",
                                  "regularisation: {dropout: 1.0}",
                                  "split: {folds: 1}",
                                  "split: {lists: {train: a}}",
                                  "split: {train: 1.5}",
                                  "dataset2: {path: a}"})
    EXPECT_FALSE(run_schema().valid(config::to_json(yaml(right + wrong + "\n")))) << wrong;
  for (const std::string model : {"lstm", "[lstm]", "[{lstm: {unit: 3}}]", "[{lstm: {units: clases}}]",
                                  "[{dropout: 1.0}]", "[{conv2d: {filters: 3, kernel_size: [3, 3, 3]}}]",
                                  "[{dense: {units: 3, activation: relo}}]", "[{}]"})
    EXPECT_FALSE(run_schema().valid(config::to_json(yaml("dataset: {path: a}\nmodel: " + model + "\n"))))
        << model;
  EXPECT_FALSE(run_schema().valid(config::to_json(yaml("model: [flatten]")))) << "without a dataset";
}

TEST(JsonSchema, RefusesWrongStudies) {
  const std::string study = "study: s\nbase: a.yaml\n";
  for (const std::string fine :
       {"axes: {regularisation.l2: [0, 1e-4], training.early_stopping: [null, {patience: 3}]}",
        "axes:\n  model[0].lstm.units: [1, 2]\n  training.optimizer.adam.learning_rate: {log_uniform: [1e-4, "
        "1e-2]}\n"
        "search: {random: {runs: 3}}",
        "set: {training.epochs: 3, features: {n_mfcc: 4}}", "search: grid"})
    EXPECT_TRUE(study_schema().valid(config::to_json(yaml(study + fine + "\n")))) << fine;
  for (const std::string wrong :
       {"axis: {}", "axes: {regularisation.l3: [0]}", "axes: {regularisation.l2: 0}",
        "axes: {regularisation.l2: []}", "axes: {regularisation.l2: [x]}",
        "axes: {regularisation.l2: {uniform: [1]}}", "set: {training.epochs: 0}", "set: {epochs: 3}",
        "search: {random: {}}", "search: {random: {runs: 0}}", "seeds: [-1]", "seeds: 3", "jobs: 0",
        "on_error: go_on", "runs: [{set: {}}]"})
    EXPECT_FALSE(study_schema().valid(config::to_json(yaml(study + wrong + "\n")))) << wrong;
}

const std::vector<std::string> values = {"null",  "none",   "true",  "x",    "''",    "classes", "0",
                                         "1",     "-1",     "3",     "0.5",  "0.999", "1.0",     "1e-3",
                                         "70000", "1e9",    "1e12",  "[]",   "[1]",   "[2, 2]",  "[a, b]",
                                         "{}",    "{a: 1}", "valid", "clip", "adam",  "'3'",     "[1, 2, 3]"};

/// Whether the reader takes the value, and why it does not.
template <class Parse>
std::string complaint(const Parse& parse) {
  try {
    parse();
    return "";
  } catch (const RequestError& e) {
    return e.what();
  }
}

TEST(JsonSchema, AcceptsWhatTheProgramAcceptsAndRefusesWhatASingleKeyRefuses) {
  int accepted = 0, refused = 0;
  for (const auto& place : config::places(run_keys())) {
    if (place.choice || place.set_by.find('[') != std::string::npos) continue;
    if (place.path == "model") continue;  // its layers are read when the data's shape is known
    for (const auto& value : values) {
      auto root = yaml(right);
      run::assign_in_run(root, place.set_by, yaml("v: " + value).entries[0].second, {"test", ""}, place.path);
      const auto said = complaint([&] { run::parse_run_config(root); });
      const bool valid = run_schema().valid(config::to_json(root));
      if (said.empty()) {
        EXPECT_TRUE(valid) << place.path << ": " << value;
        ++accepted;
      } else if (said.find(": " + place.path + ": must be ") != said.npos ||
                 said.find("unknown key") != said.npos) {
        EXPECT_FALSE(valid) << place.path << ": " << value << " (" << said << ")";
        ++refused;
      }
    }
  }
  EXPECT_GE(accepted, 150);
  EXPECT_GE(refused, 600);
}

TEST(JsonSchema, KnowsLayersAsTheReaderDoes) {
  int accepted = 0, refused = 0;
  const auto& layers = nn::LayerRegistry::instance();
  for (const auto& name : layers.names()) {
    const auto& type = *layers.find(name);
    const auto options = type.describe();
    const auto check = [&](const Node& node) {
      const auto said = complaint([&] { (void)type.parse(config::Reader(node, name), 10); });
      auto root = yaml(right);
      auto layer = Node::map(), model = Node::sequence();
      layer.set(name, node);
      model.items = {layer};
      root.set("model", model);
      EXPECT_EQ(run_schema().valid(config::to_json(root)), said.empty())
          << name << ": " << config::to_json(node) << " " << said;
      ++(said.empty() ? accepted : refused);
    };
    for (const auto& example : type.examples) check(yaml("v: " + example.options).entries[0].second);
    for (const auto& key : options.keys)
      for (const auto& value : values) {
        // (A window of more than 65536 places is refused by a condition over both extents.)
        if (value == "70000" || value == "1e9") continue;
        auto node = yaml("v: " + type.examples[0].options).entries[0].second;
        if (!node.is_map()) {
          auto map = Node::map();
          if (node.is_scalar()) map.set(options.keys[0].name, node);
          node = map;
        }
        node.set(key.name, yaml("v: " + value).entries[0].second);
        check(node);
      }
  }
  EXPECT_GE(accepted, 60);
  EXPECT_GE(refused, 300);
}

}  // namespace
}  // namespace timbre::study
