// One schema per struct: from it come parsing, validation, defaults, the resolved dump, and the description that
// --explain and the JSON Schema read (config/description.hpp).
//
//   struct AdamOptions { double learning_rate = 1e-3; ... };
//   const Schema<AdamOptions>& schema(of<AdamOptions>) {
//     static const auto s = Schema<AdamOptions>("Adam, Keras's form")
//         .field("learning_rate", &AdamOptions::learning_rate, "step size", above(0.0))
//         ...;
//     return s;
//   }
//
// A value is bool, int, std::int64_t, double, std::string, std::filesystem::path, std::optional<T>,
// std::vector<T>, a struct with a schema (found by argument-dependent lookup of schema(of<T>)), or a type with
// its own `static T from(const Reader&)`, `static Type describe()` and `Node dump() const`.
// Errors are RequestError: "configs/lstm.yaml:12:5: model[0].lstm.units: must be at least 1, not 0".
#pragma once

#include <filesystem>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "config/description.hpp"
#include "config/forward.hpp"
#include "config/node.hpp"
#include "config/rule.hpp"
#include "core/text.hpp"

namespace timbre::config {

/// A node with the dotted path that leads to it.
class Reader {
 public:
  Reader(const Node& node, std::string path = "") : node_(&node), path_(std::move(path)) {}
  const Node& node() const { return *node_; }
  const std::string& path() const { return path_; }

  /// Throws RequestError "origin: path: message".
  [[noreturn]] void fail(std::string_view message) const;
  /// The same, at the place of a key of this map.
  [[noreturn]] void fail_at_key(std::string_view key, std::string_view message) const;

  Reader entry(std::string_view key) const;  // must exist
  Reader item(std::size_t index) const;

  bool boolean() const;
  std::int64_t integer() const;
  double number() const;
  std::string text() const;
  /// Text as a path; relative ones resolve against the folder of their file.
  std::filesystem::path path_value() const;

  /// Complains about every key of this map that is not known (the first one).
  void expect_keys(const std::vector<std::string>& known) const;

  /// For `name: {options}`, `name` alone and `name: value`: a choice among named parts.
  struct Choice;
  Choice choice(std::string_view what, const std::vector<std::string>& known) const;
  /// Text that is one of the known names.
  std::string name(std::string_view what, const std::vector<std::string>& known) const;

 private:
  const Node* node_;
  std::string path_;
};

struct Reader::Choice {
  std::string name;
  Node node;  // a map, null, or a bare value (short for the first field)
  std::string path;
  Reader options() const& { return {node, path}; }
};

namespace detail {

template <class T>
concept HasSchema = requires {
  schema(of<T>{});
};
template <class T>
concept HasFrom = requires(const Reader& r, const T& t) {
  {T::from(r)};
  {T::describe()};
  {t.dump()};
};
template <class T>
struct IsOptional : std::false_type {};
template <class T>
struct IsOptional<std::optional<T>> : std::true_type {};
template <class T>
struct IsVector : std::false_type {};
template <class T>
struct IsVector<std::vector<T>> : std::true_type {};

/// The type of the values that a rule checks.
template <class T>
struct Ruled {
  using Type = T;
};
template <class T>
struct Ruled<std::optional<T>> : Ruled<T> {};
template <class T>
struct Ruled<std::vector<T>> : Ruled<T> {};
template <class T>
using RuleOf = Rule<typename Ruled<T>::Type>;

template <class T, class R>
void expect(const Reader& r, const T& value, const Rule<R>& rule) {
  if constexpr (IsOptional<T>::value) {
    if (value) expect(r, *value, rule);
  } else if constexpr (IsVector<T>::value) {
    for (std::size_t i = 0; i < value.size(); ++i) expect(r.item(i), value[i], rule);
  } else if (!rule.holds(value)) {
    r.fail("must be " + rule.text + ", not " + describe(r.node()));
  }
}

Node number_node(double value);

template <class T>
T read(const Reader& r) {
  if constexpr (HasFrom<T>) {
    return T::from(r);
  } else if constexpr (HasSchema<T>) {
    return schema(of<T>{}).parse(r);
  } else if constexpr (IsOptional<T>::value) {
    if (r.node().is_null() || (r.node().is_scalar() && !r.node().quoted && r.node().scalar == "none"))
      return std::nullopt;
    return read<typename T::value_type>(r);
  } else if constexpr (IsVector<T>::value) {
    if (!r.node().is_sequence()) r.fail("must be a sequence, not " + describe(r.node()));
    T out;
    for (std::size_t i = 0; i < r.node().items.size(); ++i)
      out.push_back(read<typename T::value_type>(r.item(i)));
    return out;
  } else if constexpr (std::is_same_v<T, bool>) {
    return r.boolean();
  } else if constexpr (std::is_same_v<T, std::string>) {
    return r.text();
  } else if constexpr (std::is_same_v<T, std::filesystem::path>) {
    return r.path_value();
  } else if constexpr (std::is_integral_v<T>) {
    const auto v = r.integer();
    if (v > std::numeric_limits<T>::max() || v < std::numeric_limits<T>::min()) r.fail("is out of range");
    return static_cast<T>(v);
  } else {
    static_assert(std::is_floating_point_v<T>, "no way to read this type");
    return static_cast<T>(r.number());
  }
}

template <class T>
Node write(const T& v) {
  if constexpr (HasFrom<T>) {
    return v.dump();
  } else if constexpr (HasSchema<T>) {
    return schema(of<T>{}).dump(v);
  } else if constexpr (IsOptional<T>::value) {
    return v ? write(*v) : Node{};
  } else if constexpr (IsVector<T>::value) {
    Node n = Node::sequence();
    for (const auto& item : v) n.items.push_back(write(item));
    return n;
  } else if constexpr (std::is_same_v<T, bool>) {
    return Node::plain(v ? "true" : "false");
  } else if constexpr (std::is_same_v<T, std::string>) {
    return Node::text(v);
  } else if constexpr (std::is_same_v<T, std::filesystem::path>) {
    return Node::text(v.string());
  } else if constexpr (std::is_integral_v<T>) {
    return Node::plain(std::to_string(v));
  } else {
    return number_node(double(v));
  }
}

template <class T>
Type describe_type() {
  if constexpr (HasFrom<T>) {
    return T::describe();
  } else if constexpr (HasSchema<T>) {
    return Type::map(schema(of<T>{}).describe());
  } else if constexpr (IsOptional<T>::value) {
    auto type = describe_type<typename T::value_type>();
    type.or_null = true;
    return type;
  } else if constexpr (IsVector<T>::value) {
    return Type::sequence(describe_type<typename T::value_type>());
  } else if constexpr (std::is_same_v<T, bool>) {
    return {Type::Kind::boolean};
  } else if constexpr (std::is_same_v<T, std::string>) {
    return {Type::Kind::text};
  } else if constexpr (std::is_same_v<T, std::filesystem::path>) {
    return {Type::Kind::path};
  } else if constexpr (std::is_integral_v<T>) {
    return {Type::Kind::whole};
  } else {
    return {Type::Kind::number};
  }
}

}  // namespace detail

template <class S>
class Schema {
 public:
  explicit Schema(std::string summary) : summary_(std::move(summary)) {}

  /// An optional key whose default is the member's initialiser.
  template <class M>
  Schema& field(std::string name, M S::*member, std::string doc, detail::RuleOf<M> rule = {}) {
    return add(std::move(name), member, std::move(doc), std::move(rule), false);
  }
  /// A key without which the struct means nothing.
  template <class M>
  Schema& required(std::string name, M S::*member, std::string doc, detail::RuleOf<M> rule = {}) {
    return add(std::move(name), member, std::move(doc), std::move(rule), true);
  }
  /// An optional key of a later version, null by default: a dump leaves it out where it is null, so that what is made of
  /// the dump (keys of runs, resolved configurations) stays what it was for those who do not use it.
  template <class M>
  Schema& later_field(std::string name, M S::*member, std::string doc, detail::RuleOf<M> rule = {}) {
    add(std::move(name), member, std::move(doc), std::move(rule), false);
    fields_.back().is_later = true;
    return *this;
  }
  /// The unit of the field before: "Hz", "epochs".
  Schema& unit(std::string text) {
    fields_.back().unit = std::move(text);
    return *this;
  }
  /// A condition over several fields; returns "" or what is wrong.
  Schema& check(std::function<std::string(const S&)> condition) {
    checks_.push_back(std::move(condition));
    return *this;
  }
  /// Lets `name: value` stand for `name: {first field: value}`.
  Schema& shorthand() {
    shorthand_ = true;
    return *this;
  }

  /// Reads a map over the defaults; null is the empty map.
  S parse(const Reader& reader) const {
    S out{};
    const Node& node = reader.node();
    if (shorthand_ && !node.is_map() && !node.is_null()) {
      fields_.front().parse(reader, out);
      run_checks(reader, out);
      return out;
    }
    if (!node.is_map() && !node.is_null())
      reader.fail("must be a map of keys, not " + config::describe(node) + "; known: " + join(names()));
    reader.expect_keys(names());
    for (const auto& f : fields_) {
      if (node.find(f.name))
        f.parse(reader.entry(f.name), out);
      else if (f.is_required)
        reader.fail("the key '" + f.name + "' is missing (" + f.doc.substr(0, f.doc.find(". ")) + ")");
    }
    run_checks(reader, out);
    return out;
  }
  /// Every field, defaults included.
  Node dump(const S& value) const {
    Node node = Node::map();
    for (const auto& f : fields_)
      if (auto entry = f.dump(value); !(f.is_later && entry.is_null())) node.set(f.name, std::move(entry));
    return node;
  }
  std::vector<std::string> names() const {
    std::vector<std::string> out;
    for (const auto& f : fields_) out.push_back(f.name);
    return out;
  }
  const std::string& summary() const { return summary_; }
  /// Its description, for people and editors.
  Struct describe() const {
    Struct out{summary_, {}, shorthand_};
    const Node defaults = dump(S{});
    for (const auto& f : fields_) {
      Key key{f.name, f.doc, f.unit, f.rule, f.describe(), {}};
      key.type.limit(f.limits);
      if (!f.is_required && !f.is_later) key.fallback = *defaults.find(f.name);
      if (f.is_later) key.fallback = Node{};
      out.keys.push_back(std::move(key));
    }
    return out;
  }

 private:
  struct Field {
    std::string name, doc, rule, unit;
    Limits limits;
    bool is_required = false, is_later = false;
    Type (*describe)() = nullptr;
    std::function<void(const Reader&, S&)> parse;
    std::function<Node(const S&)> dump;
  };

  template <class M>
  Schema& add(std::string name, M S::*member, std::string doc, detail::RuleOf<M> rule, bool is_required) {
    Field f;
    f.name = std::move(name), f.doc = std::move(doc), f.rule = rule.text, f.limits = rule.limits;
    f.is_required = is_required, f.describe = &detail::describe_type<M>;
    f.parse = [member, rule](const Reader& r, S& out) {
      M value = detail::read<M>(r);
      if (rule.holds) detail::expect(r, value, rule);
      out.*member = std::move(value);
    };
    f.dump = [member](const S& s) { return detail::write(s.*member); };
    fields_.push_back(std::move(f));
    return *this;
  }
  void run_checks(const Reader& reader, const S& value) const {
    for (const auto& c : checks_)
      if (auto wrong = c(value); !wrong.empty()) reader.fail(wrong);
  }

  std::string summary_;
  std::vector<Field> fields_;
  std::vector<std::function<std::string(const S&)>> checks_;
  bool shorthand_ = false;
};

}  // namespace timbre::config
