// The configuration of one run: what a person writes as configs/lstm.yaml.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "config/schema.hpp"
#include "data/clips.hpp"
#include "data/split.hpp"
#include "features/options.hpp"
#include "nn/model.hpp"
#include "training/augmentation.hpp"
#include "training/trainer.hpp"

namespace timbre::run {

/// `model:` unread: it can be read once the shape of the features and the classes are known.
struct ModelNode {
  config::Node node;
  static ModelNode from(const config::Reader& reader);
  static config::Type describe();
  config::Node dump() const { return node; }
};

struct RunConfig {
  std::string experiment = "run";
  std::int64_t seed = 0;
  data::DatasetOptions dataset;
  features::FeatureOptions features;
  data::SplitOptions split;
  ModelNode model;
  nn::Regularisation regularisation;
  std::optional<std::filesystem::path> initialise_from;  // a result whose weights the network begins with
  std::optional<std::vector<std::string>> freeze;        // layers that are not trained
  training::TrainingOptions training;
  std::optional<training::AugmentationOptions> augmentation;  // absent: none
  std::string leakage = "warn";                               // refuse | warn | allow
  std::string device = "auto";
  config::Node source;  // as it was read, --set applied: it has the place of each value
};
const config::Schema<RunConfig>& schema(config::of<RunConfig>);
/// Its keys, for --explain and the JSON Schema.
config::Struct describe_run_config();

/// Every value, defaults included, but what does not apply to features from elsewhere.
config::Node dump_run_config(const RunConfig& config);

/// What may name a folder.
config::Rule<std::string> folder_name();

/// Reads a file, applies --set assignments, checks everything that needs no data. RequestError, one line.
RunConfig load_run_config(const std::filesystem::path& file, const std::vector<std::string>& overrides);

/// Throws an error about a key of the configuration again with the key's place: "dataset.path: there is no folder ..."
/// becomes "configs/lstm.yaml:4:9: dataset.path: ...". Returns where the error is about none of its keys.
void throw_with_place(const RunConfig& config, const RequestError& error);

/// Runs `work`; its errors about keys of the configuration get their places.
template <class Work>
auto with_place(const RunConfig& config, Work work) {
  try {
    return work();
  } catch (const RequestError& e) {
    throw_with_place(config, e);
    throw;
  }
}

/// Reads the resolved configuration of a result.
RunConfig parse_run_config(const std::string& yaml, const std::string& source);

/// Checks what was read and changed, as load_run_config does.
RunConfig parse_run_config(config::Node root);

/// Applies one --set; where the spellings of a data set exclude each other, the one set removes the others.
void apply_run_override(config::Node& root, const std::string& assignment);
/// The same with config::assign.
void assign_in_run(config::Node& root, std::string_view path, config::Node value,
                   const config::Origin& origin, std::string_view asked);

}  // namespace timbre::run
