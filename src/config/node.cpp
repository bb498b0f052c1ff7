#include "config/node.hpp"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <fstream>
#include <optional>

#include "core/text.hpp"

namespace timbre::config {

namespace fs = std::filesystem;

Node Node::text(std::string value) {
  Node n = plain(std::move(value));
  n.quoted = true;
  return n;
}

Node Node::plain(std::string value) {
  Node n = of(Kind::scalar);
  n.scalar = std::move(value);
  return n;
}

const Node* Node::find(std::string_view key) const {
  for (const auto& [name, value] : entries)
    if (name == key) return &value;
  return nullptr;
}

Node& Node::set(std::string key, Node value, Origin key_origin) {
  kind = Kind::map;
  for (std::size_t i = 0; i < entries.size(); ++i)
    if (entries[i].first == key) {
      key_origins[i] = std::move(key_origin);
      return entries[i].second = std::move(value);
    }
  entries.emplace_back(std::move(key), std::move(value));
  key_origins.push_back(std::move(key_origin));
  return entries.back().second;
}

bool Node::erase(std::string_view key) {
  for (std::size_t i = 0; i < entries.size(); ++i)
    if (entries[i].first == key) {
      entries.erase(entries.begin() + std::ptrdiff_t(i));
      key_origins.erase(key_origins.begin() + std::ptrdiff_t(i));
      return true;
    }
  return false;
}

std::string describe(const Node& node) {
  switch (node.kind) {
    case Node::Kind::null:
      return "nothing";
    case Node::Kind::sequence:
      return "a sequence";
    case Node::Kind::map:
      return "a map";
    case Node::Kind::scalar:
      break;
  }
  auto text = printable(node.scalar);
  if (text.size() > 40) text = text.substr(0, 37) + "...";
  return "'" + text + "'";
}

namespace {

bool looks_like_text(const std::string& text) {
  return std::none_of(text.begin(), text.end(), [](unsigned char c) {
    return c == 0x7F || (c < 0x20 && c != '\n' && c != '\r' && c != '\t');
  });
}

}  // namespace

Node load_file(const fs::path& file) {
  const auto name = printable(file.string());
  std::error_code error;
  const auto status = fs::status(file, error);
  if (!fs::exists(status)) fail_request("{}: no such file", name);
  if (fs::is_directory(status)) fail_request("{}: is a folder, not a YAML file", name);
  if (fs::is_character_file(status) || fs::is_block_file(status))
    fail_request("{}: is a device, not a YAML file", name);
  std::ifstream in(file, std::ios::binary);
  if (!in) fail_request("{}: cannot be opened for reading", name);
  std::string text(most_bytes + 1, '\0');  // read, not asked for: a pipe tells no size
  in.read(text.data(), std::streamsize(text.size()));
  text.resize(std::size_t(in.gcount()));
  if (text.size() > most_bytes) fail_request("{}: larger than 4 MiB; not a configuration", name);
  if (!looks_like_text(text)) fail_request("{}:1:1: not a text file", name);
  if (text.starts_with("\xEF\xBB\xBF")) text.erase(0, 3);
  Node node = parse_text(text, name, file.has_parent_path() ? file.parent_path() : fs::path("."));
  if (node.is_null()) fail_request("{}:1:1: empty; a configuration is a map of keys", name);
  if (!node.is_map())
    fail_request("{}: a configuration is a map of keys, this is {}", node.origin.source, describe(node));
  return node;
}

namespace {

struct Step {
  std::string key;                   // a map entry, or
  std::optional<std::size_t> index;  // an item
};

std::vector<Step> parse_path(std::string_view path, std::string_view asked) {
  const auto bad = [&](std::string_view why) {
    fail_request("{}: {}; a path is written as model[0].lstm.units", asked, why);
  };
  std::vector<Step> steps;
  std::size_t i = 0;
  while (i < path.size()) {
    const auto end = std::min(path.find_first_of(".[", i), path.size());
    if (end == i) bad("an empty key");
    steps.push_back({std::string(path.substr(i, end - i)), {}});
    i = end;
    while (i < path.size() && path[i] == '[') {
      const auto close = path.find(']', i);
      const auto digits = close == path.npos ? std::string_view() : path.substr(i + 1, close - i - 1);
      if (digits.empty() || digits.size() > 6 || digits.find_first_not_of("0123456789") != digits.npos)
        bad("an index is a whole number in brackets");
      steps.push_back({"", std::stoul(std::string(digits))});
      i = close + 1;
    }
    if (i == path.size()) break;
    if (path[i] != '.') bad("a '.' is missing");
    if (++i == path.size()) bad("it ends in a '.'");
  }
  if (steps.empty()) bad("an empty path");
  if (steps.size() > deepest_nesting) bad("too deep");
  return steps;
}

void mark_origin(Node& node, const Origin& origin) {
  node.origin = origin;
  for (auto& item : node.items) mark_origin(item, origin);
  for (auto& entry : node.entries) mark_origin(entry.second, origin);
  for (auto& where : node.key_origins) where = origin;
}

}  // namespace

std::string override_path(std::string_view assignment) {
  const auto equals = assignment.find('=');
  if (equals == assignment.npos)
    fail_request("--set {}: a key and a value are written as key=value", printable(assignment));
  const auto path = assignment.substr(0, equals);
  parse_path(path, "--set " + printable(path));
  return std::string(path);
}

void apply_override(Node& root, std::string_view assignment) {
  const auto path = override_path(assignment);
  const Origin origin{"--set " + printable(path), "."};
  Node value = parse_text(std::string(assignment.substr(path.size() + 1)), origin.source, origin.base);
  mark_origin(value, origin);
  assign(root, path, std::move(value), origin, origin.source);
}

void assign(Node& root, std::string_view path, Node value, const Origin& origin, std::string_view asked) {
  Node* node = &root;
  std::string so_far;
  for (const auto& step : parse_path(path, asked)) {
    if (step.index) {
      if (!node->is_sequence()) fail_request("{}: {} is {}, not a sequence", asked, so_far, describe(*node));
      if (*step.index >= node->items.size())
        fail_request("{}: {} has {} items, numbered from 0", asked, so_far, node->items.size());
      node = &node->items[*step.index];
      so_far += fmt::format("[{}]", *step.index);
    } else {
      if (!node->is_map() && !node->is_null()) {
        // A bare word is short for a map without options: `- flatten`, `optimizer: adam`, `lstm: 64`.
        if (!node->is_scalar() || node->scalar != step.key)
          fail_request("{}: {} is {}, not a map", asked, so_far.empty() ? "the top level" : so_far,
                       describe(*node));
        Node map = Node::map();
        map.origin = node->origin;
        *node = std::move(map);
      }
      Node* next = node->find(step.key);
      if (!next) {
        next = &node->set(step.key, {}, origin);
        next->origin = origin;
      }
      node = next;
      so_far += (so_far.empty() ? "" : ".") + step.key;
    }
  }
  *node = std::move(value);
}

}  // namespace timbre::config
