// What of JSON Schema (draft 7) Timbre's schemas use, checked by hand, so that tests can say that a document fits one.
// An unknown word in a schema is an error of the test.
#pragma once

#include <nlohmann/json.hpp>
#include <regex>
#include <stdexcept>
#include <string>

namespace timbre::config {

class JsonValidator {
 public:
  using Json = nlohmann::ordered_json;
  explicit JsonValidator(Json schema) : root_(std::move(schema)) {}
  bool valid(const Json& document) const { return valid(root_, document); }

 private:
  bool valid(const Json& schema, const Json& v) const {
    if (schema.is_boolean()) return schema.get<bool>();
    for (const auto& [word, rule] : schema.items())
      if (!holds(schema, word, rule, v)) return false;
    return true;
  }

  bool holds(const Json& schema, const std::string& word, const Json& rule, const Json& v) const {
    if (word == "$schema" || word == "title" || word == "description" || word == "default" ||
        word == "definitions")
      return true;
    if (word == "$ref") {
      const std::string start = "#/definitions/", path = rule;
      if (!path.starts_with(start)) throw std::logic_error("a reference to elsewhere: " + path);
      return valid(root_.at("definitions").at(path.substr(start.size())), v);
    }
    if (word == "type") {
      if (rule.is_string()) return is(rule, v);
      for (const auto& type : rule)
        if (is(type, v)) return true;
      return false;
    }
    if (word == "enum") return std::find(rule.begin(), rule.end(), v) != rule.end();
    if (word == "anyOf") {
      for (const auto& one : rule)
        if (valid(one, v)) return true;
      return false;
    }
    if (word == "minimum") return !v.is_number() || v.get<double>() >= rule.get<double>();
    if (word == "maximum") return !v.is_number() || v.get<double>() <= rule.get<double>();
    if (word == "exclusiveMinimum") return !v.is_number() || v.get<double>() > rule.get<double>();
    if (word == "exclusiveMaximum") return !v.is_number() || v.get<double>() < rule.get<double>();
    if (word == "minLength") return !v.is_string() || v.get<std::string>().size() >= rule.get<std::size_t>();
    if (word == "pattern")
      return !v.is_string() || std::regex_search(v.get<std::string>(), std::regex(rule.get<std::string>()));
    if (word == "minItems") return !v.is_array() || v.size() >= rule.get<std::size_t>();
    if (word == "maxItems") return !v.is_array() || v.size() <= rule.get<std::size_t>();
    if (word == "minProperties") return !v.is_object() || v.size() >= rule.get<std::size_t>();
    if (word == "maxProperties") return !v.is_object() || v.size() <= rule.get<std::size_t>();
    if (word == "items") {
      if (!v.is_array()) return true;
      for (const auto& item : v)
        if (!valid(rule, item)) return false;
      return true;
    }
    if (word == "required") {
      if (!v.is_object()) return true;
      for (const auto& key : rule)
        if (!v.contains(key.get<std::string>())) return false;
      return true;
    }
    if (word == "properties") {
      if (!v.is_object()) return true;
      for (const auto& [key, value] : v.items())
        if (rule.contains(key) && !valid(rule.at(key), value)) return false;
      return true;
    }
    if (word == "patternProperties") {
      if (!v.is_object()) return true;
      for (const auto& [key, value] : v.items())
        for (const auto& [pattern, one] : rule.items())
          if (std::regex_search(key, std::regex(pattern)) && !valid(one, value)) return false;
      return true;
    }
    if (word == "additionalProperties") {
      if (!v.is_object()) return true;
      for (const auto& [key, value] : v.items())
        if (!named(schema, key) && !valid(rule, value)) return false;
      return true;
    }
    throw std::logic_error("the schema says '" + word + "', which this validator does not know");
  }

  static bool named(const Json& schema, const std::string& key) {
    if (schema.contains("properties") && schema.at("properties").contains(key)) return true;
    if (schema.contains("patternProperties"))
      for (const auto& [pattern, one] : schema.at("patternProperties").items())
        if (std::regex_search(key, std::regex(pattern))) return true;
    return false;
  }

  static bool is(const std::string& type, const Json& v) {
    if (type == "integer") return v.is_number_integer();
    if (type == "number") return v.is_number();
    if (type == "string") return v.is_string();
    if (type == "boolean") return v.is_boolean();
    if (type == "null") return v.is_null();
    if (type == "array") return v.is_array();
    if (type == "object") return v.is_object();
    throw std::logic_error("no such type: " + type);
  }

  Json root_;
};

}  // namespace timbre::config
