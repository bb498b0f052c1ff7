#include "config/json_schema.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>

namespace timbre::config {

namespace {

using Json = nlohmann::ordered_json;

Json number(double value) {
  return value == std::floor(value) && std::abs(value) < 1e15 ? Json(std::int64_t(value)) : Json(value);
}

}  // namespace

Json to_json(const Node& node) {
  switch (node.kind) {
    case Node::Kind::null:
      return nullptr;
    case Node::Kind::sequence: {
      auto out = Json::array();
      for (const auto& item : node.items) out.push_back(to_json(item));
      return out;
    }
    case Node::Kind::map: {
      auto out = Json::object();
      for (const auto& [key, value] : node.entries) out[key] = to_json(value);
      return out;
    }
    case Node::Kind::scalar:
      break;
  }
  const auto& s = node.scalar;
  if (node.quoted) return s;
  if (s == "true" || s == "True") return true;
  if (s == "false" || s == "False") return false;
  const char* end = s.data() + s.size();
  std::int64_t whole = 0;
  if (const auto [stop, error] = std::from_chars(s.data(), end, whole); error == std::errc() && stop == end)
    return whole;
  double value = 0;
  const auto [stop, error] = std::from_chars(s.data(), end, value);
  return error == std::errc() && stop == end && std::isfinite(value) ? Json(value) : Json(s);
}

namespace {

class Writer {
 public:
  Json write(const Struct& s) {
    Json out{{"type", s.all_optional() ? Json{"object", "null"} : Json("object")}};
    auto properties = Json::object(), required = Json::array();
    for (const auto& key : s.keys) {
      properties[key.name] = write(key);
      if (!key.fallback) required.push_back(key.name);
    }
    out["properties"] = std::move(properties);
    if (!required.empty()) out["required"] = std::move(required);
    out["additionalProperties"] = false;
    if (s.shorthand) out = {{"anyOf", {std::move(out), write(s.keys.front())}}};
    return out;
  }

  Json write(const Key& key) {
    auto out = write(key.type);
    auto text = key.text;
    if (!key.range.empty() && key.type.limits.choices.empty()) text += fmt::format(" ({})", key.range);
    if (!key.unit.empty()) text += fmt::format(" [{}]", key.unit);
    for (const auto& c : key.type.limits.choices)
      if (!c.text.empty()) text += fmt::format("\n- {}: {}", c.name, c.text);
    if (const auto* parts = part_type(key.type))
      for (const auto& p : parts->parts) text += fmt::format("\n- {}: {}", p.name, p.options.summary);
    out["description"] = std::move(text);
    if (key.fallback && !key.fallback->is_map()) out["default"] = to_json(*key.fallback);
    return out;
  }

  Json write(const Type& type) {
    auto out = without_null(type);
    // (An unquoted `none` is read as null.)
    if (type.or_null) out = {{"anyOf", {std::move(out), {{"enum", {nullptr, "none"}}}}}};
    return out;
  }

  /// Schemas that others refer to, by name.
  Json definitions = Json::object();

 private:
  Json without_null(const Type& type) {
    switch (type.kind) {
      case Type::Kind::boolean:
        return {{"type", "boolean"}};
      case Type::Kind::whole:
      case Type::Kind::number: {
        Json out{{"type", type.kind == Type::Kind::whole ? "integer" : "number"}};
        const auto& l = type.limits;
        if (l.low) out[l.above_low ? "exclusiveMinimum" : "minimum"] = number(*l.low);
        if (l.high) out[l.below_high ? "exclusiveMaximum" : "maximum"] = number(*l.high);
        return out;
      }
      case Type::Kind::text: {
        if (!type.limits.choices.empty()) {
          auto names = Json::array();
          for (const auto& c : type.limits.choices) names.push_back(c.name);
          if (type.limits.pattern.empty()) return {{"enum", std::move(names)}};
          return {{"type", "string"}, {"pattern", type.limits.pattern}, {"examples", std::move(names)}};
        }
        Json out{{"type", {"string", "number", "boolean"}}};  // any scalar is read as text
        if (!type.limits.pattern.empty()) out["pattern"] = type.limits.pattern;
        return out;
      }
      case Type::Kind::path:
        return {{"type", {"string", "number", "boolean"}}, {"minLength", 1}};
      case Type::Kind::sequence: {
        Json out{{"type", "array"}, {"items", write(type.items[0])}};
        if (type.count > 0) out["minItems"] = out["maxItems"] = type.count;
        return out;
      }
      case Type::Kind::map:
        return write(*type.keys);
      case Type::Kind::part:
        return part(type);
      case Type::Kind::either: {
        auto any = Json::array();
        const bool numbers = std::any_of(type.items.begin(), type.items.end(), [](const Type& item) {
          return item.kind == Type::Kind::number || item.kind == Type::Kind::whole;
        });
        for (const auto& item : type.items) {
          any.push_back(write(item));
          // Beside a number, a path is what is no number.
          if (numbers && item.kind == Type::Kind::path) any.back()["type"] = "string";
        }
        return {{"anyOf", std::move(any)}};
      }
      case Type::Kind::names:
        if (!type.items.empty())
          return {{"type", "object"}, {"minProperties", 1}, {"additionalProperties", write(type.items[0])}};
        return {{"type", "object"}, {"additionalProperties", {{"type", {"string", "number", "boolean"}}}}};
      case Type::Kind::paths:
        return paths(type);
    }
    return true;
  }

  Json part(const Type& type) {
    auto names = Json::array(), properties = Json::object();
    for (const auto& p : type.parts) {
      if (p.options.all_optional()) names.push_back(p.name);
      auto options = write(p.options);
      options["description"] = p.options.summary;
      properties[p.name] = std::move(options);
    }
    auto any = Json::array();
    if (!names.empty()) any.push_back({{"enum", std::move(names)}});
    any.push_back({{"type", "object"},
                   {"properties", std::move(properties)},
                   {"minProperties", 1},
                   {"maxProperties", 1},
                   {"additionalProperties", false}});
    return {{"anyOf", std::move(any)}};
  }

  /// Each path without an index has its value's schema; behind an index anything may come.
  Json paths(const Type& type) {
    const bool swept = !type.limits.choices.empty();
    auto properties = Json::object();
    for (const auto& place : places(*type.keys)) {
      if (place.choice || place.set_by.find('[') != std::string::npos) continue;
      if (!definitions.contains(place.path)) {
        auto value = place.part ? write(place.part->options) : write(*place.key);
        definitions[place.path] = std::move(value);
      }
      const Json value{{"$ref", "#/definitions/" + place.path}};
      properties[place.path] = swept ? Json{{"anyOf",
                                             {{{"type", "array"}, {"items", value}, {"minItems", 1}},
                                              {{"$ref", "#/definitions/range"}}}}}
                                     : value;
    }
    if (swept) definitions["range"] = range(type.limits.choices);
    return {{"type", "object"},
            {"properties", std::move(properties)},
            {"patternProperties", {{"\\[", swept ? Json{{"type", {"array", "object"}}} : Json(true)}}},
            {"additionalProperties", false}};
  }

  /// The ranges of a random search.
  static Json range(const std::vector<Choice>& scales) {
    auto properties = Json::object();
    for (const auto& scale : scales)
      properties[scale.name] = {
          {"type", "array"}, {"items", {{"type", "number"}}}, {"minItems", 2}, {"maxItems", 2}};
    return {{"type", "object"},
            {"properties", std::move(properties)},
            {"minProperties", 1},
            {"maxProperties", 1},
            {"additionalProperties", false}};
  }
};

Json finished(Writer writer, Json head, const Json& body) {
  head.update(body);
  if (!writer.definitions.empty()) head["definitions"] = std::move(writer.definitions);
  return head;
}

constexpr auto dialect = "http://json-schema.org/draft-07/schema#";

}  // namespace

Json json_schema(const Struct& root, const std::string& title) {
  Writer writer;
  const auto body = writer.write(root);
  return finished(std::move(writer), {{"$schema", dialect}, {"title", title}, {"description", root.summary}},
                  body);
}

Json json_schema(const Place& place) {
  Writer writer;
  const auto body = place.part ? writer.write(place.part->options) : writer.write(*place.key);
  return finished(std::move(writer), {{"$schema", dialect}, {"title", place.path}}, body);
}

}  // namespace timbre::config
