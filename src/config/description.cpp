#include "config/description.hpp"

#include <algorithm>
#include <cctype>
#include <utility>

#include "core/text.hpp"

namespace timbre::config {

Type Type::map(Struct keys) {
  Type out{Kind::map};
  out.keys = std::make_shared<const Struct>(std::move(keys));
  return out;
}

Type Type::sequence(Type item, std::size_t count) {
  Type out{Kind::sequence};
  out.items.push_back(std::move(item));
  out.count = count;
  return out;
}

Type Type::part(std::string what, std::vector<NamedPart> parts) {
  Type out{Kind::part};
  out.what = std::move(what);
  out.parts = std::move(parts);
  return out;
}

Type Type::either(std::vector<Type> items) {
  Type out{Kind::either};
  out.items = std::move(items);
  return out;
}

Type Type::paths(Struct keys, std::vector<Choice> scales) {
  Type out = map(std::move(keys));
  out.kind = Kind::paths;
  out.limits.choices = std::move(scales);
  return out;
}

Type Type::word(std::vector<Choice> choices) {
  Type out{Kind::text};
  out.limits.choices = std::move(choices);
  return out;
}

Type Type::whole(double low, double high) {
  Type out{Kind::whole};
  out.limits.low = low, out.limits.high = high;
  return out;
}

void Type::limit(const Limits& given) {
  if (kind == Kind::sequence) return items[0].limit(given);
  if (given.low) limits.low = given.low, limits.above_low = given.above_low;
  if (given.high) limits.high = given.high, limits.below_high = given.below_high;
  if (!given.choices.empty()) limits.choices = given.choices;
  if (!given.pattern.empty()) limits.pattern = given.pattern;
}

std::string Type::words() const {
  const auto itself = [&]() -> std::string {
    switch (kind) {
      case Kind::boolean:
        return "true or false";
      case Kind::whole:
        return "whole number";
      case Kind::number:
        return "number";
      case Kind::text: {
        std::vector<std::string> names;
        for (const auto& c : limits.choices) names.push_back(c.name);
        if (names.empty()) return "text";
        return names.size() == 1 ? "the word " + names[0] : "one of " + join(names);
      }
      case Kind::path:
        return "path";
      case Kind::sequence:
        if (items[0].kind == Kind::part) return "sequence of " + items[0].what + "s";
        return count > 0 ? "[" + join(std::vector(count, items[0].words())) + "]"
                         : "sequence of: " + items[0].words();
      case Kind::map:
        return "map";
      case Kind::part:
        return what + ", a name or {name: options}";
      case Kind::either: {
        std::vector<std::string> names;
        for (const auto& item : items)
          if (auto name = item.words(); std::find(names.begin(), names.end(), name) == names.end())
            names.push_back(std::move(name));
        return join(names, ", or ");
      }
      case Kind::names:
        return "map from names to " + (items.empty() ? std::string("texts") : items[0].words() + "s");
      case Kind::paths:
        return limits.choices.empty() ? "map from paths to values"
                                      : "map from paths to sequences of values, or to ranges";
    }
    return "";
  };
  return itself() + (or_null ? ", or null" : "");
}

bool Struct::all_optional() const {
  return std::all_of(keys.begin(), keys.end(), [](const Key& k) { return k.fallback.has_value(); });
}

const Type* part_type(const Type& type) {
  if (type.kind == Type::Kind::part) return &type;
  for (const auto& item : type.items)
    if (const auto* found = part_type(item)) return found;
  return nullptr;
}

namespace {

const Struct* map_in(const Type& type) {
  if (type.kind == Type::Kind::map) return type.keys.get();
  for (const auto& item : type.items)
    if (const auto* found = map_in(item)) return found;
  return nullptr;
}

struct Walk {
  std::vector<Place>& out;
  std::string within = "";  // the kind of part whose options are walked

  // (Paths are copied: `out` moves as it grows.)
  void keys(const Struct& keys, const std::string path, const std::string set_by) const {
    for (const auto& key : keys.keys) {
      const auto dot = path.empty() ? "" : ".";
      out.push_back({path + dot + key.name, set_by + dot + key.name, &key});
      type(key.type, key, out.back().path, out.back().set_by);
    }
  }
  void type(const Type& t, const Key& key, const std::string path, const std::string set_by) const {
    if (t.kind == Type::Kind::map) keys(*t.keys, path, set_by);
    // Parts within a part of their own kind (layers of a block) have places already.
    const bool again = !t.what.empty() && within == t.what;
    for (const auto& part : t.parts) {
      if (again) break;
      out.push_back({path + "." + part.name, set_by + "." + part.name, &key, &part});
      Walk{out, t.what}.keys(part.options, out.back().path, out.back().set_by);
    }
    for (const auto& c : t.limits.choices) out.push_back({path + "." + c.name, set_by, &key, nullptr, &c});
    bool seen_map = false;  // of several maps the first has the paths: the others are its special cases
    for (const auto& item : t.items) {
      if (item.kind == Type::Kind::map && std::exchange(seen_map, true)) continue;
      type(item, key, path, t.kind == Type::Kind::sequence ? set_by + "[0]" : set_by);
    }
  }
};

/// "model[0].lstm" as "model.lstm"
std::string without_indices(std::string_view path) {
  std::string out;
  bool inside = false;
  for (const char c : path) {
    inside = inside || c == '[';
    if (!inside) out += c;
    if (c == ']') inside = false;
  }
  return out;
}

/// "features.kind.mfcc" as "features.mfcc": the map whose key takes the word.
std::string short_path(const Place& place) {
  const auto word = place.path.rfind('.'), key = word == 0 ? word : place.path.rfind('.', word - 1);
  return key == place.path.npos ? "" : place.path.substr(0, key) + place.path.substr(word);
}

}  // namespace

const Struct* Place::keys() const {
  if (part) return &part->options;
  return choice ? nullptr : map_in(key->type);
}

std::vector<Place> places(const Struct& root) {
  std::vector<Place> out;
  Walk{out}.keys(root, "", "");
  return out;
}

Place find(const std::vector<Place>& places, std::string_view asked) {
  const auto path = without_indices(asked);
  for (const auto& place : places)
    if (place.path == path) return place;
  for (const auto& place : places)
    if (place.choice && short_path(place) == path) return place;
  // Names that stand alone are enough, and of those that are several the keys come first.
  std::vector<const Place*> ending;
  for (const bool words : {false, true}) {
    for (const auto& place : places)
      if ((place.choice != nullptr) == words && place.path.ends_with("." + path)) ending.push_back(&place);
    if (ending.empty()) continue;
    // Of several the outermost comes first, where it is one: model.lstm before the lstm of model.bidirectional.
    const auto depth = [](const Place* p) { return std::count(p->path.begin(), p->path.end(), '.'); };
    const auto least = depth(*std::min_element(ending.begin(), ending.end(),
                                               [&](auto* a, auto* b) { return depth(a) < depth(b); }));
    std::erase_if(ending, [&](const Place* p) { return depth(p) > least; });
    if (ending.size() == 1) return *ending[0];
    break;
  }
  std::vector<std::string> known;
  for (const auto* place : ending) known.push_back(place->path);
  if (!known.empty()) fail_request("'{}' stands for several: {}", printable(asked), join(known));
  for (const auto& place : places) known.push_back(place.path);
  auto hint = did_you_mean(path, known);
  if (hint.empty()) {
    // Perhaps the name alone is misspelt.
    known.clear();
    for (const auto& place : places) known.push_back(place.path.substr(place.path.rfind('.') + 1));
    hint = did_you_mean(path.substr(path.rfind('.') + 1), known);
  }
  fail_request("there is no key '{}'{}", printable(asked),
               hint.empty() ? "; --explain alone shows all" : hint);
}

}  // namespace timbre::config
