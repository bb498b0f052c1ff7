#include "run/run_config.hpp"

#include <algorithm>
#include <array>
#include <regex>

#include "core/text.hpp"

namespace timbre::run {

ModelNode ModelNode::from(const config::Reader& reader) {
  if (!reader.node().is_sequence())
    reader.fail("must be a sequence of layers, not " + config::describe(reader.node()));
  return {reader.node()};
}

config::Type ModelNode::describe() {
  std::vector<config::NamedPart> layers;
  for (const auto& name : nn::LayerRegistry::instance().names())
    layers.push_back({name, nn::LayerRegistry::instance().find(name)->describe()});
  return config::Type::sequence(config::Type::part("layer", std::move(layers)));
}

config::Rule<std::string> folder_name() {
  return {[](const std::string& s) {
            return !s.empty() && s.size() <= 100 && s[0] != '.' &&
                   s.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") ==
                       s.npos;
          },
          "a name of letters, digits, '.', '_' and '-', since it names a folder",
          {.pattern = "^[a-zA-Z0-9_-][a-zA-Z0-9._-]{0,99}$"}};
}

config::Rule<std::string> device_name() {
  static const std::regex known("auto|cpu|cuda(:[0-9]{1,3})?");
  return {[](const std::string& s) { return std::regex_match(s, known); },
          "one of auto, cpu, cuda, cuda:N",
          {.choices = {{"auto", "a GPU where one can be used, else the CPU"},
                       {"cpu", "the CPU"},
                       {"cuda", "an NVIDIA GPU, the first, or the run ends"},
                       {"cuda:N", "the GPU of this number, from 0, or the run ends"}},
           .pattern = "^(auto|cpu|cuda(:[0-9]{1,3})?)$"}};
}

const config::Schema<RunConfig>& schema(config::of<RunConfig>) {
  static const auto s =
      config::Schema<RunConfig>(
          "one run: songs, features, split, network and training, as run_experiment reads it")
          .field("experiment", &RunConfig::experiment,
                 "name of the experiment, and of its folder below runs/", folder_name())
          .field("seed", &RunConfig::seed, "the random numbers of initial weights, order, dropout and split",
                 config::at_least(std::int64_t{0}))
          .required("dataset", &RunConfig::dataset,
                    "where the songs are: one of path, manifest and synthetic")
          .field("features", &RunConfig::features, "what the network sees of a segment")
          .field("split", &RunConfig::split, "which clips train, which validate, and which test")
          .required("model", &RunConfig::model,
                    "the layers, in their order. The last one ends in softmax over the classes")
          .field("regularisation", &RunConfig::regularisation, "penalties and dropout over the whole network")
          .field("training", &RunConfig::training, "how the network is trained")
          .later_field(
              "initialise_from", &RunConfig::initialise_from,
              "a result file: layers begin with the weights of its layers of the same name. The last layer "
              "begins anew where its shape is another. null: initial values")
          .later_field("freeze", &RunConfig::freeze,
                       "names of layers that are not trained, as the summary has them. A batch normalisation "
                       "among them uses its moving statistics")
          .later_field("augmentation", &RunConfig::augmentation,
                       "what training does to its segments. Validation and test stay as they are")
          .field(
              "leakage", &RunConfig::leakage, "what becomes of a split whose parts share sound",
              config::choice_of({{"warn", "it passes with a warning, and the result is stamped LEAKS"},
                                 {"refuse", "the run ends before any work"},
                                 {"allow", "it passes without a warning, and the result is stamped LEAKS"}}))
          .field("device", &RunConfig::device, "what computes features and network", device_name());
  return s;
}

config::Struct describe_run_config() { return schema(config::of<RunConfig>{}).describe(); }

namespace {

void remove_other_sources(config::Node& root, std::string_view path) {
  static constexpr std::array sources{"path", "manifest", "synthetic", "external"};
  for (const std::string chosen : sources) {
    const auto key = "dataset." + chosen;
    if (path != key && !path.starts_with(key + ".")) continue;
    if (auto* dataset = root.find("dataset"); dataset && dataset->is_map())
      for (const std::string other : sources)
        if (other != chosen) dataset->erase(other);
  }
}

/// A list of features takes keys of the whole.
void make_room(config::Node& root, std::string_view path) {
  if (auto* features = root.find("features"); features && path.starts_with("features."))
    features::make_room_for_keys(*features);
}

}  // namespace

void apply_run_override(config::Node& root, const std::string& assignment) {
  const auto path = config::override_path(assignment);
  remove_other_sources(root, path);
  make_room(root, path);
  config::apply_override(root, assignment);
}

void assign_in_run(config::Node& root, std::string_view path, config::Node value,
                   const config::Origin& origin, std::string_view asked) {
  remove_other_sources(root, path);
  make_room(root, path);
  config::assign(root, path, std::move(value), origin, asked);
}

namespace {

/// Without other clips, those of the table of features are meant.
void name_external_clips(config::Node& root) {
  const auto* features = root.is_map() ? root.find("features") : nullptr;
  if (!features || !features->find("external") || features->find("external")->is_null()) return;
  if (!root.find("dataset")) root.set("dataset", config::Node::map(), features->origin);
  auto& dataset = *root.find("dataset");
  if (dataset.is_null()) dataset = config::Node::map();
  if (!dataset.is_map()) return;
  for (const auto* source : {"path", "manifest", "synthetic", "external"})
    if (const auto* given = dataset.find(source); given && !given->is_null()) return;
  dataset.set("external", config::Node::plain("true"), features->origin);
}

}  // namespace

config::Node dump_run_config(const RunConfig& config) {
  auto node = schema(config::of<RunConfig>{}).dump(config);
  features::drop_unused(*node.find("features"));
  return node;
}

RunConfig parse_run_config(config::Node root) {
  name_external_clips(root);
  auto out = schema(config::of<RunConfig>{}).parse(config::Reader(root));
  out.source = std::move(root);
  return out;
}

RunConfig load_run_config(const std::filesystem::path& file, const std::vector<std::string>& overrides) {
  auto root = config::load_file(file);
  for (const auto& assignment : overrides) apply_run_override(root, assignment);
  return parse_run_config(std::move(root));
}

void throw_with_place(const RunConfig& config, const RequestError& error) {
  // The deepest entry on the way to the key that the configuration has. The rest is a default.
  const config::Node* node = &config.source;
  const std::string_view path = error.path;
  for (std::size_t i = 0; i < path.size();) {
    const auto dot = std::min(path.find('.', i), path.size());
    const auto* next = node->find(path.substr(i, dot - i));
    if (!next) break;
    node = next, i = dot + 1;
  }
  if (node != &config.source) config::Reader(*node, error.path).fail(error.message);
}

RunConfig parse_run_config(const std::string& yaml, const std::string& source) {
  auto root = config::parse_text(yaml, source, ".");
  name_external_clips(root);
  return schema(config::of<RunConfig>{}).parse(config::Reader(root));
}

}  // namespace timbre::run
