#include "config/settings.hpp"

#include <algorithm>
#include <cstdlib>
#include <map>
#include <set>

#include "core/error.hpp"

namespace timbre::config {

namespace {

const Node nothing;

const Node& solid(const Node* node) { return node ? *node : nothing; }

std::string shorter_exponent(std::string number) {
  const auto e = number.find("e-0");
  if (e != number.npos && number.find_first_not_of("0123456789.e-") == number.npos) number.erase(e + 2, 1);
  return number;
}

// Unchanged, but drawn numbers (0.00012345678) to four digits.
std::string scalar_text(const Node& n) {
  char* end = nullptr;
  const double value = std::strtod(n.scalar.c_str(), &end);
  const bool number = !n.quoted && !n.scalar.empty() && *end == '\0' &&
                      n.scalar.find_first_not_of("0123456789.e+-") == n.scalar.npos;
  const bool fraction = n.scalar.find_first_of(".e") != n.scalar.npos;
  if (number && fraction && n.scalar.size() > 7) return shorter_exponent(fmt::format("{:.4g}", value));
  return n.quoted ? n.scalar : shorter_exponent(n.scalar);
}

std::string brief(const Node* node, const std::vector<std::string>& varying) {
  const auto& n = solid(node);
  if (n.is_null()) return "off";
  if (n.is_scalar()) return scalar_text(n);
  if (n.is_sequence()) {
    std::string out;
    for (const auto& item : n.items)
      out += (out.empty() ? "" : ", ") +
             (item.is_map() && item.entries.size() == 1 ? item.entries[0].first : flow(&item));
    return is_leaf(n) ? "[" + out + "]" : out;
  }
  // A part with its options: "adam", or the options that tell it from the others.
  if (n.entries.size() == 1 && !n.entries[0].second.is_scalar()) {
    const auto inside = varying.empty() ? "" : brief(&n.entries[0].second, varying);
    return n.entries[0].first + (inside.empty() || inside == "on" ? "" : " " + inside);
  }
  std::string out;
  for (const auto& key : varying)
    if (const auto* v = n.find(key)) out += (out.empty() ? "" : ", ") + key + " " + brief(v, {});
  if (!out.empty()) return out;
  for (const std::string key : {"patience", "learning_rate", "label_smoothing", "units"})
    if (const auto* v = n.find(key); v && v->is_scalar()) return key + " " + scalar_text(*v);
  return n.entries.empty() ? "default" : "on";
}

}  // namespace

bool is_leaf(const Node& n) {
  return !n.is_map() &&
         std::none_of(n.items.begin(), n.items.end(), [](const Node& i) { return i.is_map(); });
}

bool same(const Node* a, const Node* b) {
  const auto &x = solid(a), &y = solid(b);
  if (x.kind != y.kind) return false;
  if (x.is_scalar()) return x.scalar == y.scalar;
  if (x.items.size() != y.items.size() || x.entries.size() != y.entries.size()) return false;
  for (std::size_t i = 0; i < x.items.size(); ++i)
    if (!same(&x.items[i], &y.items[i])) return false;
  for (const auto& [key, value] : x.entries) {
    const auto* other = y.find(key);
    if (!other || !same(&value, other)) return false;
  }
  return true;
}

const Node* at(const Node& root, std::string_view path) {
  const Node* n = &root;
  while (n && !path.empty()) {
    if (path.front() == '.') path.remove_prefix(1);
    if (!path.empty() && path.front() == '[') {
      const auto end = path.find(']');
      if (end == path.npos || end < 2 || end > 10) return nullptr;
      std::size_t index = 0;
      for (const char c : path.substr(1, end - 1)) {
        if (c < '0' || c > '9') return nullptr;
        index = 10 * index + std::size_t(c - '0');
      }
      n = n->is_sequence() && index < n->items.size() ? &n->items[index] : nullptr;
      path.remove_prefix(end + 1);
    } else {
      const auto end = std::min(path.find_first_of(".["), path.size());
      n = n->find(path.substr(0, end));
      path.remove_prefix(end);
    }
  }
  return n;
}

std::string flow(const Node* node) {
  const auto& n = solid(node);
  std::string out;
  switch (n.kind) {
    case Node::Kind::null:
      return "null";
    case Node::Kind::scalar: {
      const bool special =
          n.scalar.empty() || n.scalar.find_first_of(" \t\n,[]{}:#&*!|>'\"%@`\\") != n.scalar.npos;
      if (!special && !n.quoted) return shorter_exponent(n.scalar);
      for (const char c : n.scalar) {
        if (c == '"' || c == '\\') out += '\\';
        out += c == '\n' ? "\\n" : std::string(1, c);
      }
      return "\"" + out + "\"";
    }
    case Node::Kind::sequence:
      for (const auto& item : n.items) out += (out.empty() ? "" : ", ") + flow(&item);
      return "[" + out + "]";
    case Node::Kind::map:
      break;
  }
  for (const auto& [key, value] : n.entries) out += (out.empty() ? "" : ", ") + key + ": " + flow(&value);
  return "{" + out + "}";
}

namespace {

/// Without the keys of maps that say nothing: those that are null.
Node without_nulls(const Node& node) {
  Node out = node;
  std::erase_if(out.entries, [](const auto& entry) { return entry.second.is_null(); });
  for (auto& [key, value] : out.entries) value = without_nulls(value);
  return out;
}

/// All that a value says, of a map without the braces around it; "off" for null.
std::string whole(const Node* value) {
  if (!value || value->is_null()) return "off";
  const auto node = without_nulls(*value);
  const auto text = flow(&node);
  return node.is_map() && text.size() > 2 ? text.substr(1, text.size() - 2) : text;
}

}  // namespace

std::vector<std::string> short_texts(const std::vector<const Node*>& values) {
  std::set<std::string> varying;
  const auto is_part = [](const Node& v) { return v.entries.size() == 1 && v.entries[0].second.is_map(); };
  for (const auto* a : values)
    for (const auto* b : values) {
      if (!a || !b || !a->is_map() || !b->is_map()) continue;
      const bool parts = is_part(*a) && is_part(*b);
      if (parts && a->entries[0].first != b->entries[0].first) continue;  // their names tell them apart
      const auto &x = parts ? a->entries[0].second : *a, &y = parts ? b->entries[0].second : *b;
      for (const auto& [key, value] : x.entries)
        if (const auto* other = y.find(key); other && !same(&value, other)) varying.insert(key);
    }
  // The shortest that tell different values apart.
  std::vector<std::string> out;
  const auto are_enough = [&](const auto& text) {
    out.clear();
    for (const auto* v : values) out.push_back(text(v));
    for (std::size_t i = 0; i < values.size(); ++i)
      for (std::size_t j = 0; j < i; ++j)
        if (out[i] == out[j] && !same(values[i], values[j])) return false;
    return true;
  };
  if (are_enough([&](const Node* v) { return brief(v, {varying.begin(), varying.end()}); })) return out;
  if (are_enough(whole)) return out;
  are_enough([](const Node* v) { return v ? flow(v) : "off"; });
  return out;
}

std::vector<std::string> short_names(const std::vector<std::string>& keys) {
  std::vector<std::string> out;
  std::map<std::string, int> used;
  const auto last = [](const std::string& key) { return key.substr(key.find_last_of('.') + 1); };
  for (const auto& key : keys) ++used[last(key)];
  for (const auto& key : keys)
    out.push_back(used[last(key)] == 1 && !key.starts_with("model[") ? last(key) : key);
  return out;
}

}  // namespace timbre::config
