#include "experiment/run_config.hpp"

#include <array>

namespace timbre::experiment {

ModelNode ModelNode::from(const config::Reader& reader) {
  if (!reader.node().is_sequence()) reader.fail("must be a sequence of layers, not " + config::describe(reader.node()));
  return {reader.node()};
}

const config::Schema<RunConfig>& schema(config::of<RunConfig>) {
  static const config::Rule<std::string> folder_name{
      [](const std::string& s) {
        return !s.empty() && s.size() <= 100 && s[0] != '.' &&
               s.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") == s.npos;
      },
      "a name of letters, digits, '.', '_' and '-', since it names a folder"};
  static const auto s =
      config::Schema<RunConfig>("one run")
          .field("experiment", &RunConfig::experiment, "name of the experiment and of its folder under runs/", folder_name)
          .field("seed", &RunConfig::seed, "of initial weights, shuffles, dropout and split", config::at_least(std::int64_t{0}))
          .required("dataset", &RunConfig::dataset, "where the songs are")
          .field("features", &RunConfig::features, "what the network sees of a segment")
          .field("split", &RunConfig::split, "training, validation and test")
          .required("model", &RunConfig::model, "the sequence of layers")
          .field("regularisation", &RunConfig::regularisation, "penalties and dropout over the whole model")
          .field("training", &RunConfig::training, "epochs, optimizer, loss, early stopping")
          .field("device", &RunConfig::device, "where to train", config::one_of({"auto", "cpu", "cuda"}));
  return s;
}

void apply_run_override(config::Node& root, const std::string& assignment) {
  const auto path = config::override_path(assignment);
  static constexpr std::array sources{"path", "manifest", "synthetic"};
  for (const std::string chosen : sources) {
    const auto key = "dataset." + chosen;
    if (path != key && !path.starts_with(key + ".")) continue;
    if (auto* dataset = root.find("dataset"); dataset && dataset->is_map())
      for (const std::string other : sources)
        if (other != chosen) dataset->erase(other);
  }
  config::apply_override(root, assignment);
}

RunConfig load_run_config(const std::filesystem::path& file, const std::vector<std::string>& overrides) {
  auto root = config::load_file(file);
  for (const auto& assignment : overrides) apply_run_override(root, assignment);
  return schema(config::of<RunConfig>{}).parse(config::Reader(root));
}

RunConfig parse_run_config(const std::string& yaml, const std::string& source) {
  const auto root = config::parse_text(yaml, source, ".");
  return schema(config::of<RunConfig>{}).parse(config::Reader(root));
}

}  // namespace timbre::experiment
