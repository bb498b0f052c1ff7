#include "run/run_config.hpp"

#include <algorithm>
#include <array>

#include "core/text.hpp"

namespace timbre::run {

ModelNode ModelNode::from(const config::Reader& reader) {
  if (!reader.node().is_sequence())
    reader.fail("must be a sequence of layers, not " + config::describe(reader.node()));
  return {reader.node()};
}

config::Rule<std::string> folder_name() {
  return {[](const std::string& s) {
            return !s.empty() && s.size() <= 100 && s[0] != '.' &&
                   s.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") ==
                       s.npos;
          },
          "a name of letters, digits, '.', '_' and '-', since it names a folder"};
}

const config::Schema<RunConfig>& schema(config::of<RunConfig>) {
  static const auto s =
      config::Schema<RunConfig>("one run")
          .field("experiment", &RunConfig::experiment, "name of the experiment and of its folder under runs/",
                 folder_name())
          .field("seed", &RunConfig::seed, "of initial weights, shuffles, dropout and split",
                 config::at_least(std::int64_t{0}))
          .required("dataset", &RunConfig::dataset, "where the songs are")
          .field("features", &RunConfig::features, "what the network sees of a segment")
          .field("split", &RunConfig::split, "training, validation and test")
          .required("model", &RunConfig::model, "the sequence of layers")
          .field("regularisation", &RunConfig::regularisation, "penalties and dropout over the whole model")
          .field("training", &RunConfig::training, "epochs, optimizer, loss, early stopping")
          .field("leakage", &RunConfig::leakage, "what becomes of a split whose parts share sound",
                 config::one_of({"warn", "refuse", "allow"}))
          .field("device", &RunConfig::device, "where to train", config::one_of({"auto", "cpu", "cuda"}));
  return s;
}

namespace {

void remove_other_sources(config::Node& root, std::string_view path) {
  static constexpr std::array sources{"path", "manifest", "synthetic"};
  for (const std::string chosen : sources) {
    const auto key = "dataset." + chosen;
    if (path != key && !path.starts_with(key + ".")) continue;
    if (auto* dataset = root.find("dataset"); dataset && dataset->is_map())
      for (const std::string other : sources)
        if (other != chosen) dataset->erase(other);
  }
}

}  // namespace

void apply_run_override(config::Node& root, const std::string& assignment) {
  remove_other_sources(root, config::override_path(assignment));
  config::apply_override(root, assignment);
}

void assign_in_run(config::Node& root, std::string_view path, config::Node value,
                   const config::Origin& origin, std::string_view asked) {
  remove_other_sources(root, path);
  config::assign(root, path, std::move(value), origin, asked);
}

RunConfig parse_run_config(config::Node root) {
  auto out = schema(config::of<RunConfig>{}).parse(config::Reader(root));
  out.source = std::move(root);
  return out;
}

RunConfig load_run_config(const std::filesystem::path& file, const std::vector<std::string>& overrides) {
  auto root = config::load_file(file);
  for (const auto& assignment : overrides) apply_run_override(root, assignment);
  return parse_run_config(std::move(root));
}

namespace {

/// The entry of nested maps that a message "dataset.path: ..." starts with; its path is left in `path`.
const config::Node* named_by(const config::Node& root, std::string_view message, std::string& path) {
  const auto end = std::min(message.find(": "), message.size());
  const config::Node* node = &root;
  for (std::size_t i = 0; i < end;) {
    const auto dot = std::min(message.find('.', i), end);
    const auto* next = node->find(message.substr(i, dot - i));
    if (!next) return nullptr;
    node = next, i = dot + 1;
  }
  path = message.substr(0, end);
  return node == &root ? nullptr : node;
}

/// The scalar below `node` that is the path of the file a message "FILE: ..." starts with.
const config::Node* names_file(const config::Node& node, std::string_view message, std::string& path) {
  if (node.is_scalar()) {
    const auto file = (node.origin.base / node.scalar).lexically_normal().string();
    return message.starts_with(printable(file) + ": ") ? &node : nullptr;
  }
  for (const auto& [key, value] : node.entries) {
    auto inner = path.empty() ? key : path + "." + key;
    if (const auto* found = names_file(value, message, inner)) {
      path = std::move(inner);
      return found;
    }
  }
  return nullptr;
}

}  // namespace

void fail_with_place(const RunConfig& config, const RequestError& error) {
  std::string_view message = error.what();
  std::string path;
  if (const auto* node = named_by(config.source, message, path))
    config::Reader(*node, path).fail(message.substr(std::min(path.size() + 2, message.size())));
  for (const std::string part : {"dataset", "split"}) {
    path = part;
    const auto* below = config.source.find(part);
    if (const auto* node = below ? names_file(*below, message, path) : nullptr)
      config::Reader(*node, path).fail(message);
  }
  throw error;
}

RunConfig parse_run_config(const std::string& yaml, const std::string& source) {
  const auto root = config::parse_text(yaml, source, ".");
  return schema(config::of<RunConfig>{}).parse(config::Reader(root));
}

}  // namespace timbre::run
