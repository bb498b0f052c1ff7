#include "config/schema.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace timbre::config {

void Reader::fail(std::string_view message) const {
  const auto& source = node_->origin.source;
  // "--set a.b" already names the path.
  if (source == "--set " + path_) fail_request("{}: {}", source, message);
  if (path_.empty()) fail_request("{}: {}", source, message);
  fail_request("{}: {}: {}", source, path_, message);
}

void Reader::fail_at_key(std::string_view key, std::string_view message) const {
  Node at;
  for (std::size_t i = 0; i < node_->entries.size(); ++i)
    if (node_->entries[i].first == key) at.origin = node_->key_origins[i];
  Reader(at, path_).fail(message);
}

Reader Reader::entry(std::string_view key) const {
  return {*node_->find(key), path_.empty() ? std::string(key) : path_ + "." + std::string(key)};
}

Reader Reader::item(std::size_t index) const {
  return {node_->items.at(index), fmt::format("{}[{}]", path_, index)};
}

bool Reader::boolean() const {
  if (node_->is_scalar() && !node_->quoted) {
    if (node_->scalar == "true" || node_->scalar == "True" || node_->scalar == "yes" || node_->scalar == "on")
      return true;
    if (node_->scalar == "false" || node_->scalar == "False" || node_->scalar == "no" ||
        node_->scalar == "off")
      return false;
  }
  fail("must be true or false, not " + describe(*node_));
}

std::int64_t Reader::integer() const {
  std::int64_t v = 0;
  if (node_->is_scalar() && !node_->quoted) {
    const auto& s = node_->scalar;
    const char *begin = s.data() + (s.size() > 1 && s[0] == '+'), *end = s.data() + s.size();
    const auto [stop, error] = std::from_chars(begin, end, v);
    if (error == std::errc() && stop == end) return v;
    if (error == std::errc::result_out_of_range && stop == end) fail("is out of range: " + describe(*node_));
  }
  fail("must be a whole number, not " + describe(*node_));
}

double Reader::number() const {
  double v = 0;
  if (node_->is_scalar() && !node_->quoted) {
    const auto& s = node_->scalar;
    const char *begin = s.data() + (s.size() > 1 && s[0] == '+'), *end = s.data() + s.size();
    const auto [stop, error] = std::from_chars(begin, end, v);
    if (stop == end && error == std::errc() && std::isfinite(v)) return v;
    if (stop == end && error == std::errc::result_out_of_range) fail("is out of range: " + describe(*node_));
  }
  fail("must be a finite number, not " + describe(*node_));
}

std::string Reader::text() const {
  if (!node_->is_scalar()) fail("must be text, not " + describe(*node_));
  return node_->scalar;
}

std::filesystem::path Reader::path_value() const {
  const auto value = text();
  if (value.empty()) fail("must be a path, not empty");
  if (value.find('\0') != value.npos) fail("must be a path without a NUL character");
  std::filesystem::path p(value);
  if (p.is_relative() && !node_->origin.base.empty()) p = node_->origin.base / p;
  return p.lexically_normal();
}

namespace {

std::string unknown(std::string_view what, std::string_view name, const std::vector<std::string>& known) {
  const auto hint = did_you_mean(name, known);
  return fmt::format("unknown {} '{}'{}known: {}", what, printable(name), hint.empty() ? "; " : hint + " ",
                     join(known));
}

}  // namespace

void Reader::expect_keys(const std::vector<std::string>& known) const {
  for (const auto& [key, value] : node_->entries)
    if (std::find(known.begin(), known.end(), key) == known.end())
      fail_at_key(key, unknown("key", key, known));
}

Reader::Choice Reader::choice(std::string_view what, const std::vector<std::string>& known) const {
  std::string name;
  Node options;
  options.origin = node_->origin;  // options that are not there still have a place: that of the name
  if (node_->is_scalar()) {
    name = node_->scalar;
  } else if (node_->is_map() && node_->entries.size() == 1) {
    name = node_->entries[0].first;
    options = node_->entries[0].second;
  } else {
    fail(fmt::format(
        "must be one {} with its options, not {}; known: {}", what,
        node_->is_map() ? fmt::format("a map of {} keys", node_->entries.size()) : describe(*node_),
        join(known)));
  }
  if (std::find(known.begin(), known.end(), name) == known.end()) {
    const auto message = unknown(what, name, known);
    if (node_->is_map()) fail_at_key(name, message);
    fail(message);
  }
  return {name, std::move(options), path_.empty() ? name : path_ + "." + name};
}

std::string Reader::name(std::string_view what, const std::vector<std::string>& known) const {
  auto value = text();
  if (std::find(known.begin(), known.end(), value) == known.end()) fail(unknown(what, value, known));
  return value;
}

Rule<std::string> one_of(std::vector<std::string> choices) {
  std::vector<Choice> named;
  for (auto& name : choices) named.push_back({std::move(name), ""});
  return choice_of(std::move(named));
}

Rule<std::string> choice_of(std::vector<Choice> choices) {
  std::vector<std::string> names;
  for (const auto& c : choices) names.push_back(c.name);
  auto text = "one of " + join(names);
  return {[names = std::move(names)](const std::string& v) {
            return std::find(names.begin(), names.end(), v) != names.end();
          },
          std::move(text), Limits{.choices = std::move(choices)}};
}

namespace detail {

Node number_node(double value) { return Node::plain(number_text(value)); }

}  // namespace detail

}  // namespace timbre::config
