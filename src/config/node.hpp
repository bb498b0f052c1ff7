// A YAML document as a tree that remembers where each value came from, so that every complaint can name
// file:line:column, or the --set that gave the value.
//
// Reading refuses what YAML allows and no person means: duplicate keys, several documents, nesting deeper than 32,
// more than 100,000 nodes after aliases are expanded, more than 10,000 keys in a map, more than 4 MiB. Anchors and aliases work; there are no merge keys.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/error.hpp"

namespace timbre::config {

inline constexpr std::size_t deepest_nesting = 32;

/// The place of a value: "configs/lstm.yaml:12:5", or "--set model[0].lstm.units".
struct Origin {
  std::string source;
  std::filesystem::path base;  // relative paths in the value resolve against this folder
};

struct Node {
  enum class Kind { null, scalar, sequence, map };
  Kind kind = Kind::null;
  std::string scalar;
  bool quoted = false;  // a quoted scalar is text, whatever it looks like
  std::vector<Node> items;
  std::vector<std::pair<std::string, Node>> entries;
  std::vector<Origin> key_origins;  // beside entries: the place of each key
  Origin origin;

  // Defined after the class: clang 14 would ask whether a pair with a Node can be copied before it knows Node.
  Node();
  Node(const Node&);
  Node(Node&&) noexcept;
  Node& operator=(const Node&);
  Node& operator=(Node&&) noexcept;
  ~Node();

  static Node text(std::string value);
  static Node plain(std::string value);  // a number, a boolean or a bare word
  static Node sequence() { return of(Kind::sequence); }
  static Node map() { return of(Kind::map); }

  bool is_null() const { return kind == Kind::null; }
  bool is_scalar() const { return kind == Kind::scalar; }
  bool is_sequence() const { return kind == Kind::sequence; }
  bool is_map() const { return kind == Kind::map; }

  /// The entry of a map, or nullptr.
  const Node* find(std::string_view key) const;
  Node* find(std::string_view key) { return const_cast<Node*>(std::as_const(*this).find(key)); }
  /// Sets or replaces an entry; the node becomes a map.
  Node& set(std::string key, Node value, Origin key_origin = {});
  bool erase(std::string_view key);

 private:
  static Node of(Kind kind) {
    Node n;
    n.kind = kind;
    return n;
  }
};

inline Node::Node() = default;
inline Node::Node(const Node&) = default;
inline Node::Node(Node&&) noexcept = default;
inline Node& Node::operator=(const Node&) = default;
inline Node& Node::operator=(Node&&) noexcept = default;
inline Node::~Node() = default;

/// Of a configuration's text.
inline constexpr std::size_t most_bytes = std::size_t{4} << 20;

/// "a map", "a sequence", "nothing", "'text'", for messages.
std::string describe(const Node& node);

/// Reads a YAML file. Throws RequestError with one line: not there, a folder, not text, too large (4 MiB),
/// empty, or a syntax error with its place.
Node load_file(const std::filesystem::path& file);

/// Parses YAML text; `source` stands for the file in messages.
Node parse_text(const std::string& text, const std::string& source, const std::filesystem::path& base);

/// Applies "dotted.path[0].key=YAML value"; missing map entries are created, a sequence index must exist.
/// Throws RequestError `--set PATH: ...`.
void apply_override(Node& root, std::string_view assignment);

/// The same for a value that was read: `origin` is the place of its path, `asked` begins the messages, as
/// "experiments/l2.yaml:4:3: axes.model[0].l2".
void assign(Node& root, std::string_view path, Node value, const Origin& origin, std::string_view asked);

/// The path of "path=value", checked; used where two spellings exclude each other.
std::string override_path(std::string_view assignment);

/// Writes the tree as YAML block style (flow style for sequences of scalars and small leaf maps).
std::string to_yaml(const Node& node);

}  // namespace timbre::config
