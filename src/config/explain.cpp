#include "config/explain.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "config/settings.hpp"
#include "core/text.hpp"

namespace timbre::config {

namespace {

std::string bold(const std::string& text, const ExplainStyle& style) {
  return style.emphasis ? "\x1b[1m" + text + "\x1b[0m" : text;
}
std::string dim(const std::string& text, const ExplainStyle& style) {
  return style.emphasis ? "\x1b[2m" + text + "\x1b[0m" : text;
}

std::string sentence(std::string text) {
  if (!text.empty()) text[0] = char(std::toupper(static_cast<unsigned char>(text[0])));
  if (!text.empty() && text.back() != '.') text += '.';
  return text;
}

/// The default as it would be written, "" where the keys below say it.
std::string default_text(const Key& key) {
  if (!key.fallback) return "";
  const Node& node = *key.fallback;
  if (key.type.kind == Type::Kind::part) return node.entries.empty() ? node.scalar : node.entries[0].first;
  if (node.is_map() && !node.entries.empty()) return "";
  const auto text = node.is_scalar() && !node.scalar.empty() ? node.scalar : flow(&node);
  return node.is_scalar() && !key.unit.empty() ? text + " " + key.unit : text;
}

/// "whole number, at least 1; default 20 epochs"
std::string facts(const Key& key) {
  auto type = key.type;
  type.or_null = false;
  auto out = type.words();
  const auto add = [&](const std::string& text, const char* between) {
    if (!text.empty()) out += (out.empty() ? "" : between) + text;
  };
  if (key.type.limits.choices.empty()) add(key.range, ", ");
  if (key.type.or_null) add("or null", ", ");
  const auto value = default_text(key);
  if (!key.unit.empty() && (value.empty() || key.fallback->is_null())) add("in " + key.unit, ", ");
  add(!key.fallback ? "required" : value.empty() ? "" : "default " + value, "; ");
  return out;
}

bool has_meanings(const Limits& limits) {
  return std::any_of(limits.choices.begin(), limits.choices.end(),
                     [](const Choice& c) { return !c.text.empty(); });
}

struct Row {
  std::string name, text, facts;
};

/// Names in one column, texts beside them, facts below the texts.
std::string table(const std::vector<Row>& rows, std::size_t indent, const ExplainStyle& style) {
  std::size_t width = 0;
  for (const auto& row : rows) width = std::max(width, row.name.size());
  width = std::min<std::size_t>(width, 22);
  const auto start = indent + width + 2;
  std::string out;
  for (const auto& row : rows) {
    const auto name = std::string(indent, ' ') + bold(row.name, style);
    auto text = wrapped(row.text, start, style.columns);
    // A name wider than its column has a line of its own.
    if (row.name.size() > width || text.empty())
      out += name + "\n" + text;
    else
      out += name + text.substr(indent + row.name.size());
    if (!row.facts.empty()) out += dim(wrapped(row.facts, start, style.columns), style);
  }
  return out;
}

std::vector<Row> rows_of(const std::vector<Choice>& choices) {
  std::vector<Row> out;
  for (const auto& c : choices) out.push_back({c.name, c.text, ""});
  return out;
}

std::vector<Row> rows_of(const std::vector<NamedPart>& parts) {
  std::vector<Row> out;
  for (const auto& p : parts) out.push_back({p.name, p.options.summary, ""});
  return out;
}

std::string keys_table(const Struct& keys, const ExplainStyle& style) {
  std::vector<Row> rows;
  for (const auto& key : keys.keys) rows.push_back({key.name, key.text, facts(key)});
  return table(rows, 2, style);
}

/// The options of a part or a map, under their heading.
std::string section(const std::string& path, const std::string& text, const Struct& keys,
                    const ExplainStyle& style) {
  auto out = bold(path, style) + "\n" + wrapped(sentence(text), 2, style.columns);
  if (keys.shorthand)
    out += wrapped(fmt::format("A value alone stands for {}.", keys.keys.front().name), 2, style.columns);
  return out + (keys.keys.empty() ? "" : "\n" + keys_table(keys, style));
}

std::string words_section(const Place& place, const ExplainStyle& style) {
  const auto* parts = part_type(place.key->type);
  return bold(place.path, style) + "\n" + wrapped(sentence(place.key->text), 2, style.columns) + "\n" +
         table(parts ? rows_of(parts->parts) : rows_of(place.key->type.limits.choices), 2, style);
}

}  // namespace

std::string wrapped(std::string_view text, std::size_t indent, std::size_t columns) {
  std::string out, line;
  for (std::size_t begin = 0; begin < text.size();) {
    const auto end = std::min(text.find(' ', begin), text.size());
    const auto word = text.substr(begin, end - begin);
    begin = end + 1;
    if (word.empty()) continue;
    if (!line.empty() && indent + line.size() + 1 + word.size() > columns) {
      out += std::string(indent, ' ') + line + "\n";
      line.clear();
    }
    line += (line.empty() ? "" : " ") + std::string(word);
  }
  return line.empty() ? out : out + std::string(indent, ' ') + line + "\n";
}

std::string explain(const Struct& root, const ExplainStyle& style) {
  auto out = wrapped(sentence(root.summary), 0, style.columns) + "\n" + keys_table(root, style);
  for (const auto& place : places(root)) {
    if (place.choice) continue;
    if (const auto* keys = place.keys(); keys && !keys->keys.empty())
      out += "\n" + section(place.path, place.part ? keys->summary : place.key->text, *keys, style);
    else if (!place.part && (part_type(place.key->type) || has_meanings(place.key->type.limits)))
      out += "\n" + words_section(place, style);
  }
  return out;
}

std::string explain(const Place& place, const ExplainStyle& style) {
  if (place.part) return section(place.path, place.part->options.summary, place.part->options, style);
  if (place.choice) {
    const auto text = place.choice->text.empty() ? place.key->text : place.choice->text;
    return bold(place.path, style) + "\n" + wrapped(sentence(text), 2, style.columns) + "\n" +
           table({{"set by", fmt::format("--set {}={}", place.set_by, place.choice->name), ""}}, 2, style);
  }
  const auto& key = *place.key;
  auto out = bold(place.path, style) + "\n" + wrapped(sentence(key.text), 2, style.columns) + "\n";
  const auto value = default_text(key);
  std::vector<Row> rows{{"type", key.type.words(), ""}};
  if (!key.range.empty() && key.type.limits.choices.empty()) rows.push_back({"range", key.range, ""});
  if (!key.unit.empty()) rows.push_back({"unit", key.unit, ""});
  rows.push_back({"default",
                  !key.fallback   ? "none: the key is required"
                  : value.empty() ? "as below"
                                  : value,
                  ""});
  if (key.fallback && key.fallback->is_scalar() && !key.fallback->scalar.empty())
    rows.push_back({"set by", fmt::format("--set {}={}", place.set_by, key.fallback->scalar), ""});
  out += table(rows, 2, style);
  if (has_meanings(key.type.limits)) out += "\n" + table(rows_of(key.type.limits.choices), 2, style);
  if (const auto* parts = part_type(key.type)) out += "\n" + table(rows_of(parts->parts), 2, style);
  if (const auto* keys = place.keys()) out += "\n" + keys_table(*keys, style);
  return out;
}

}  // namespace timbre::config
