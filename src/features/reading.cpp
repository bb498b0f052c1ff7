// FeatureOptions as a configuration writes them: one kind, or a list of them with what the whole has.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "config/schema.hpp"
#include "core/error.hpp"
#include "core/text.hpp"
#include "features/engine.hpp"
#include "features/own_options.hpp"

namespace timbre::features {

using config::Node;
using config::Reader;
using config::Struct;
using config::Type;

namespace {

using Names = std::vector<std::string>;

bool holds(const Names& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

const config::Schema<FeatureOptions>& shared() { return schema(config::of<FeatureOptions>{}); }

/// Names of the options that a kind has of its own.
const Names& own_names(const std::string& kind) {
  static const auto of_all = [] {
    std::map<std::string, Names> out;
    for (const auto& name : OwnRegistry::instance().names())
      for (const auto& key : OwnRegistry::instance().find(name)->describe().keys)
        out[name].push_back(key.name);
    return out;
  }();
  static const Names none;
  const auto found = of_all.find(kind);
  return found == of_all.end() ? none : found->second;
}

/// Of the shared keys, those of one kind.
bool is_of_part(const FeatureType& type, std::string_view key) {
  return key == "delta" || key == "delta_width" || holds(type.keys, key);
}

/// The entries of a map whose names `wanted` says, with their places.
template <class Wanted>
Node entries_of(const Node& map, Wanted wanted) {
  Node out = Node::map();
  out.origin = map.origin;
  for (std::size_t i = 0; i < map.entries.size(); ++i)
    if (const auto& [name, value] = map.entries[i]; wanted(name)) out.set(name, value, map.key_origins[i]);
  return out;
}

/// Options of one kind: the keys that kinds share were read, those that it has of its own are read now.
FeatureOptions with_own(FeatureOptions options, const Reader& reader, const Names& own) {
  const auto* entry = OwnRegistry::instance().find(options.kind);
  if (!entry) return options;
  const auto node = entries_of(reader.node(), [&](const auto& name) { return holds(own, name); });
  options.own = entry->parse(Reader(node, reader.path()));
  return options;
}

/// `features: {kind: ...}`. Keys of other kinds are checked, and mean nothing, as n_mfcc does for a spectrogram: so that
/// the kind alone can be changed.
FeatureOptions read_one(const Reader& reader) {
  const auto& node = reader.node();
  if (!node.is_map()) return shared().parse(reader);
  const auto* given = node.find("kind");
  const auto kind = given && given->is_scalar() ? given->scalar : FeatureOptions{}.kind;
  const auto& own = own_names(kind);
  auto known = shared().names();
  known.push_back("stack");
  const auto first_kinds = known;
  for (const auto& name : OwnRegistry::instance().names())
    for (const auto& key : own_names(name))
      if (!holds(known, key)) known.push_back(key);
  reader.expect_keys(known);
  for (const auto& name : OwnRegistry::instance().names()) {
    if (name == kind) continue;
    const auto& names = own_names(name);
    const auto others = entries_of(node, [&](const auto& key) {
      return holds(names, key) && !holds(own, key) && !holds(first_kinds, key);
    });
    if (!others.entries.empty()) OwnRegistry::instance().find(name)->parse(Reader(others, reader.path()));
  }
  const auto keys = entries_of(
      node, [&](const auto& key) { return key != "stack" && holds(first_kinds, key) && !holds(own, key); });
  auto out = with_own(shared().parse(Reader(keys, reader.path())), reader, own);
  if (const auto wrong = problem_with(out); !wrong.empty()) reader.fail(wrong);
  return out;
}

/// One item of a list: `mfcc`, or `mfcc: {n_mfcc: 13}`, over the defaults that the whole gives.
FeatureOptions read_part(const Reader& item, const Node& whole) {
  const auto choice = item.choice("feature", FeatureRegistry::instance().names());
  const auto reader = choice.options();
  if (!choice.node.is_map() && !choice.node.is_null())
    reader.fail("must be a map of keys, not " + config::describe(choice.node));
  const auto& type = *FeatureRegistry::instance().find(choice.name);
  const auto& own = own_names(choice.name);
  auto known = own;
  for (const auto& key : shared().names())
    if (is_of_part(type, key) && !holds(own, key)) known.push_back(key);
  for (const auto* key : {"sample_rate", "standardise", "summary"})
    if (choice.node.find(key))
      reader.fail(
          fmt::format("{} is of all features together: features: {{{}: ..., stack: [...]}}", key, key));
  reader.expect_keys(known);
  Node keys = Node::map();
  keys.origin = choice.node.origin;
  keys.set("kind", Node::text(choice.name));
  const auto take = [&](const Node& from, bool is_own) {
    for (std::size_t i = 0; i < from.entries.size(); ++i)
      if (const auto& [name, value] = from.entries[i];
          name == "sample_rate" || (is_of_part(type, name) && !(is_own && holds(own, name))))
        keys.set(name, value, from.key_origins[i]);
  };
  take(whole, false);
  take(choice.node, true);
  return with_own(shared().parse(Reader(keys, reader.path())), reader, own);
}

/// Of the whole: what `stack` lies in.
FeatureOptions read_stack(const Reader& list, const Reader& whole) {
  auto known = shared().names();
  known.push_back("stack");
  whole.expect_keys(known);
  for (const auto* key : {"kind", "external"})
    if (const auto* given = whole.node().find(key); given && !given->is_null())
      whole.fail_at_key(key, fmt::format("{} and stack exclude each other", key));
  const auto shared_keys = entries_of(whole.node(), [](const auto& name) { return name != "stack"; });
  auto out = shared().parse(Reader(shared_keys, whole.path()));
  if (!list.node().is_sequence())
    list.fail("must be a sequence of features, not " + config::describe(list.node()));
  if (list.node().items.empty()) list.fail("names no feature");
  for (std::size_t i = 0; i < list.node().items.size(); ++i)
    out.stack.push_back(read_part(list.item(i), shared_keys));
  if (const auto wrong = problem_with(out); !wrong.empty()) list.fail(wrong);
  out.hop_length = out.stack.front().hop_length;
  return out;
}

/// The keys of one kind, without its name.
Node dump_part(const FeatureOptions& o) {
  const auto* type = FeatureRegistry::instance().find(o.kind);
  auto node = shared().dump(o);
  if (type) node = entries_of(node, [&](const auto& name) { return is_of_part(*type, name); });
  Node own;
  if (o.own)
    own = o.own->dump();
  else if (const auto* entry = OwnRegistry::instance().find(o.kind))
    own = entry->parse(Reader(own))->dump();
  if (!own.is_null())
    for (auto& [name, value] : own.entries.front().second.entries) node.set(name, std::move(value));
  return node;
}

}  // namespace

FeatureOptions FeatureOptions::from(const Reader& reader) {
  const auto& node = reader.node();
  if (node.is_sequence()) {
    Node whole = Node::map();
    whole.origin = node.origin;
    return read_stack(reader, Reader(whole, reader.path()));
  }
  const auto* list = node.find("stack");
  if (list && !list->is_null() && !(list->is_scalar() && !list->quoted && list->scalar == "none"))
    return read_stack(reader.entry("stack"), reader);
  return read_one(reader);
}

Node FeatureOptions::dump() const {
  const auto all = shared().dump(*this);
  const auto* type = FeatureRegistry::instance().find(kind);
  if (stack.empty() && (external || !type || type->is_first)) return all;
  Node out = Node::map();
  if (stack.empty()) out.set("kind", *all.find("kind"));
  out.set("sample_rate", *all.find("sample_rate"));
  if (stack.empty())
    for (auto& [name, value] : dump_part(*this).entries) out.set(name, value);
  out.set("standardise", *all.find("standardise"));
  if (const auto* names = all.find("summary")) out.set("summary", *names);
  if (stack.empty()) return out;
  auto& list = out.set("stack", Node::sequence());
  for (const auto& part : stack) {
    auto item = Node::map();
    item.set(part.kind, dump_part(part));
    list.items.push_back(std::move(item));
  }
  return out;
}

Type FeatureOptions::describe() {
  const auto all = shared().describe();
  auto one = all;
  std::vector<config::NamedPart> parts;
  std::map<std::string, std::vector<config::Key>> meanings;  // what a shared name means to a kind
  for (const auto& name : FeatureRegistry::instance().names()) {
    const auto& type = *FeatureRegistry::instance().find(name);
    Struct options{type.summary, {}, false};
    for (const auto& key : all.keys)
      if (is_of_part(type, key.name)) options.keys.push_back(key);
    if (const auto* own = OwnRegistry::instance().find(name))
      for (auto& key : own->describe().keys) {
        options.keys.push_back(key);
        // In the map of one kind, a name that several kinds have is there once.
        key.text = fmt::format("of {}: {}", name, key.text);
        const auto there = std::find_if(one.keys.begin(), one.keys.end(),
                                        [&](const config::Key& k) { return k.name == key.name; });
        if (there == one.keys.end())
          one.keys.push_back(key);
        else if (holds(shared().names(), key.name))
          meanings[name].push_back(key);
        else
          there->text += "; " + key.text;
      }
    parts.push_back({name, std::move(options)});
  }
  auto list = Type::sequence(Type::part("feature", std::move(parts)));
  config::Key stack{
      "stack",
      "several kinds, side by side along the coefficients, instead of the one of `kind`. null: that one",
      "",
      "",
      list,
      Node{}};
  stack.type.or_null = true;
  one.keys.push_back(std::move(stack));
  std::vector<Type> forms{Type::map(one)};
  for (const auto& [name, keys] : meanings) {
    auto other = one;
    for (auto& key : other.keys)
      if (key.name == "kind") key.type = Type::word({{name, ""}}), key.fallback.reset();
    for (const auto& key : keys)
      *std::find_if(other.keys.begin(), other.keys.end(), [&](const auto& k) { return k.name == key.name; }) =
          key;
    forms.push_back(Type::map(std::move(other)));
  }
  forms.push_back(std::move(list));
  return Type::either(std::move(forms));
}

std::string name_of(const FeatureOptions& options) {
  if (options.external) return "external";
  Names names;
  for (const auto& part : options.parts()) names.push_back(part.kind);
  return join(names, " + ");
}

void make_room_for_keys(Node& features) {
  if (!features.is_sequence()) return;
  auto whole = Node::map();
  whole.origin = features.origin;
  whole.set("stack", std::move(features), whole.origin);
  features = std::move(whole);
}

void drop_unused(Node& node) {
  if (!node.find("external")) return;
  Names unused;
  for (const auto& [name, value] : node.entries)
    if (name != "external" && name != "standardise") unused.push_back(name);
  for (const auto& name : unused) node.erase(name);
}

namespace {

/// Left out and written out, these give the same numbers.
void write_out_defaults(Node& keys, const FeatureOptions& o) {
  if (keys.find("win_length")) keys.set("win_length", Node::plain(fmt::format("{}", o.window_samples())));
  if (keys.find("fmax")) keys.set("fmax", Node::plain(number_text(o.highest_frequency())));
  if (o.delta_orders() > 0)
    keys.set("delta_width", Node::plain(fmt::format("{}", o.delta_frames())));
  else
    keys.erase("delta_width");
}

}  // namespace

std::string extraction_key(const FeatureOptions& options) {
  if (options.external) return extraction_key(*options.external);
  auto node = options.dump();
  node.erase("standardise");
  if (options.stack.empty()) write_out_defaults(node, options);
  if (auto* list = node.find("stack"))
    for (std::size_t i = 0; i < options.stack.size(); ++i)
      write_out_defaults(list->items[i].entries.front().second, options.stack[i]);
  return fmt::format("feature version {}\n{}", feature_version, config::to_yaml(node));
}

}  // namespace timbre::features
