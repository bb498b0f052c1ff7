// The keys of a configuration, as data: their types, ranges, defaults and meanings.
//
// Schemas give it (config/schema.hpp), and so do types with a reader of their own. The explanation for a person
// (config/explain.hpp) and the JSON Schema for an editor (config/json_schema.hpp) are made from it alone.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/node.hpp"

namespace timbre::config {

/// A word that a text may be, and what it means; "" where the name says it.
struct Choice {
  std::string name, text;
};

/// The conditions on a number or a text.
struct Limits {
  std::optional<double> low = {}, high = {};
  bool above_low = false, below_high = false;  // the limit itself is not allowed
  std::vector<Choice> choices = {};            // of a text; empty: any
  std::string pattern = "";                    // of a text, as JSON Schema writes regular expressions
};

struct Struct;
/// One of several parts that are chosen by name: `adam`, or `adam: {options}`.
struct NamedPart;

struct Type {
  enum class Kind {
    boolean,
    whole,
    number,
    text,
    path,
    sequence,  // of items[0]
    map,       // of `keys`
    part,      // one of `parts`
    either,    // any of `items`
    names,     // a map from any names to texts, or to items[0]
    paths,  // a map from paths of a configuration, which is `keys`, to values; with choices, which are the scales of
            // ranges, to sequences of values or to a range {scale: [lowest, highest]}
  };
  Kind kind = Kind::text;
  bool or_null = false;
  Limits limits = {};
  std::vector<Type> items = {};
  std::size_t count = 0;  // of a sequence; 0: any
  std::shared_ptr<const Struct> keys = nullptr;
  std::vector<NamedPart> parts = {};
  std::string what = "";  // of a part: "layer"

  static Type map(Struct keys);
  static Type sequence(Type item, std::size_t count = 0);
  static Type part(std::string what, std::vector<NamedPart> parts);
  static Type either(std::vector<Type> items);
  static Type paths(Struct keys, std::vector<Choice> scales = {});
  static Type word(std::vector<Choice> choices);
  static Type whole(double low, double high);

  /// Adds limits; those of a sequence are its items'.
  void limit(const Limits& limits);
  /// "number", "map or null", "sequence of whole numbers"
  std::string words() const;
};

struct Key {
  std::string name;
  std::string text;   // what it does; its first sentence is enough for a message
  std::string unit;   // "Hz", "epochs"; "" where it has none
  std::string range;  // finishes "must be ..."; "" where the type says it
  Type type;
  std::optional<Node> fallback;  // the default; nothing where the key is required
};

struct Struct {
  std::string summary;
  std::vector<Key> keys;
  bool shorthand = false;  // a bare value stands for the first key
  bool all_optional() const;
};

struct NamedPart {
  std::string name;
  Struct options;
};

/// A place in a description that has a path of its own: a key, a part that the key may be, or a word that it may be.
struct Place {
  std::string path;    // "training.optimizer.adam.learning_rate", "model.lstm", "features.kind.mfcc"
  std::string set_by;  // the path for --set, where sequences have an index: "model[0].lstm.units"
  const Key* key = nullptr;
  const NamedPart* part = nullptr;
  const Choice* choice = nullptr;
  /// The keys that it holds: of a map, of a part's options; nullptr where it holds none.
  const Struct* keys() const;
};

/// All of them, keys in the order of their schemas, each before what it holds. They refer to `root`.
std::vector<Place> places(const Struct& root);

/// The place of a path. Indices do not matter; a word may follow the map whose key takes it ("features.mfcc"), and the
/// end of a path is enough where only one has it ("lstm.units"). Throws RequestError where there is none.
Place find(const std::vector<Place>& places, std::string_view path);

/// The kinds of parts of a type: itself, or what its items are; nullptr where it is none.
const Type* part_type(const Type& type);

}  // namespace timbre::config
