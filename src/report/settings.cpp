#include "report/settings.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <set>

#include "core/shell_word.hpp"

namespace timbre::report {

using config::Node;

namespace {

// Calls visit(path, values) for the lowest differing paths.
template <class Visit>
void walk(const std::string& path, const std::vector<const Node*>& nodes, const Visit& visit) {
  if (std::all_of(nodes.begin(), nodes.end(), [&](const Node* n) { return same(n, nodes[0]); })) return;
  const auto all = [&](auto holds) {
    return std::all_of(nodes.begin(), nodes.end(), [&](const Node* n) { return n && holds(*n); });
  };
  if (all([](const Node& n) { return n.is_map(); })) {
    std::vector<std::string> keys;
    bool shared = false;  // a key that all have: a section; none: a choice of one part or another
    for (const auto* n : nodes)
      for (const auto& [key, value] : n->entries)
        if (std::find(keys.begin(), keys.end(), key) == keys.end()) {
          keys.push_back(key);
          shared |=
              std::all_of(nodes.begin(), nodes.end(), [&key = key](const Node* m) { return m->find(key); });
        }
    if (shared || path.empty()) {
      for (const auto& key : keys) {
        std::vector<const Node*> below;
        for (const auto* n : nodes) below.push_back(n->find(key));
        walk(path.empty() ? key : path + "." + key, below, visit);
      }
      return;
    }
  } else if (all([&](const Node& n) {
               return n.is_sequence() && !is_leaf(n) && n.items.size() == nodes[0]->items.size();
             })) {
    for (std::size_t i = 0; i < nodes[0]->items.size(); ++i) {
      std::vector<const Node*> below;
      for (const auto* n : nodes) below.push_back(&n->items[i]);
      walk(fmt::format("{}[{}]", path, i), below, visit);
    }
    return;
  }
  visit(path, nodes);
}

// A rate of a dropout layer is a consequence where equal values of regularisation.dropout give equal rates.
bool follows(const std::vector<const Node*>& values, const std::vector<const Node*>& causes) {
  for (std::size_t i = 0; i < values.size(); ++i)
    for (std::size_t j = 0; j < i; ++j)
      if (same(causes[i], causes[j]) && !same(values[i], values[j])) return false;
  return true;
}

}  // namespace

std::vector<std::string> differing(const std::vector<const Node*>& roots) {
  std::vector<std::string> paths;
  if (roots.size() < 2) return paths;
  std::vector<const Node*> dropout;
  for (const auto* root : roots) dropout.push_back(at(*root, "regularisation.dropout"));
  const bool swept =
      std::any_of(dropout.begin(), dropout.end(), [&](const Node* n) { return !same(n, dropout[0]); });
  walk("", roots, [&](const std::string& path, const std::vector<const Node*>& values) {
    const bool rate = path.starts_with("model[") && path.find("dropout") != path.npos;
    if (!(swept && rate && follows(values, dropout))) paths.push_back(path);
  });
  return paths;
}

std::string overrides(const Node& reference, const Node& root) {
  std::string out;
  for (const auto& path : differing({&reference, &root}))
    out += (out.empty() ? "" : " ") + std::string("--set ") + shell_word(path + "=" + flow(at(root, path)));
  return out;
}

}  // namespace timbre::report
