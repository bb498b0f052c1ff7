// The tree as YAML text. yaml-cpp writes it, but asks a regular expression of every text: in a study of thousands of runs that
// is most of the time. So the shapes that configurations have are written here, to the same bytes, and yaml-cpp is asked once for
// each text.
#include "config/emit.hpp"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <string>
#include <unordered_map>

namespace timbre::config {

namespace {

void emit(YAML::Emitter& out, const Node& node, bool flow) {
  switch (node.kind) {
    case Node::Kind::null:
      out << YAML::Null;
      break;
    case Node::Kind::scalar:
      if (node.quoted) {
        // Text that would read back as something else keeps its quotes.
        const auto& s = node.scalar;
        const bool bare =
            !s.empty() &&
            s.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_/.-0123456789") ==
                s.npos &&
            std::isalpha(static_cast<unsigned char>(s[0])) && s != "true" && s != "false" && s != "null" &&
            s != "yes" && s != "no" && s != "on" && s != "off" && s != "nan" && s != "inf";
        if (!bare) out << YAML::DoubleQuoted;
        out << s;
      } else {
        out << node.scalar;
      }
      break;
    case Node::Kind::sequence: {
      const bool leaf =
          std::all_of(node.items.begin(), node.items.end(), [](const Node& n) { return n.is_scalar(); });
      out << (flow || leaf ? YAML::Flow : YAML::Block) << YAML::BeginSeq;
      for (const auto& item : node.items) emit(out, item, flow || leaf);
      out << YAML::EndSeq;
      break;
    }
    case Node::Kind::map: {
      out << (flow || node.entries.empty() ? YAML::Flow : YAML::Block) << YAML::BeginMap;
      for (const auto& [key, value] : node.entries) {
        out << YAML::Key << key << YAML::Value;
        emit(out, value, flow);
      }
      out << YAML::EndMap;
      break;
    }
  }
}

/// How yaml-cpp writes one text: plain, or between quotes. In flow style more of them need quotes.
const std::string& scalar_text(const Node& node, bool flow) {
  constexpr std::size_t most = 20000;
  static thread_local std::unordered_map<std::string, std::string> known[4];
  auto& texts = known[(node.quoted ? 2 : 0) + (flow ? 1 : 0)];
  if (const auto found = texts.find(node.scalar); found != texts.end()) return found->second;
  if (texts.size() > most) texts.clear();
  YAML::Emitter out;
  if (flow) out << YAML::Flow << YAML::BeginSeq;
  emit(out, node, flow);
  if (flow) out << YAML::EndSeq;
  std::string text = out.c_str();
  if (flow) text = text.substr(1, text.size() - 2);
  return texts.emplace(node.scalar, std::move(text)).first->second;
}

// A longer text would be a long key, which has a form of its own.
bool is_plain_key(const std::string& key) {
  return !key.empty() && key.size() < 100 &&
         key.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789.") ==
             key.npos;
}

bool is_leaf(const Node& node) {
  return node.is_sequence() &&
         std::all_of(node.items.begin(), node.items.end(), [](const Node& n) { return n.is_scalar(); });
}

/// Whether the tree has the shapes that Writer knows.
bool is_usual(const Node& node) {
  switch (node.kind) {
    case Node::Kind::null:
    case Node::Kind::scalar:
      return true;
    case Node::Kind::sequence:
      return is_leaf(node) || std::all_of(node.items.begin(), node.items.end(), [](const Node& n) {
               return n.is_scalar() || (n.is_map() && !n.entries.empty() && is_usual(n));
             });
    case Node::Kind::map:
      return std::all_of(node.entries.begin(), node.entries.end(),
                         [](const auto& e) { return is_plain_key(e.first) && is_usual(e.second); });
  }
  return false;
}

class Writer {
 public:
  std::string write(const Node& map) {
    entries(map, 0, false);
    return std::move(out_);
  }

 private:
  /// The first entry may follow the dash of an item.
  void entries(const Node& map, std::size_t indent, bool behind_dash) {
    for (const auto& [key, value] : map.entries) {
      if (!behind_dash) out_.append(indent, ' ');
      behind_dash = false;
      out_ += scalar_text(Node::plain(key), false) + ":";
      if (value.is_map() && !value.entries.empty()) {
        out_ += '\n';
        entries(value, indent + 2, false);
      } else if (value.is_sequence() && !is_leaf(value)) {
        out_ += '\n';
        items(value, indent + 2);
      } else {
        out_ += ' ';
        short_value(value);
        out_ += '\n';
      }
    }
  }
  void items(const Node& sequence, std::size_t indent) {
    for (const auto& item : sequence.items) {
      out_.append(indent, ' ');
      out_ += "- ";
      if (item.is_map()) {
        entries(item, indent + 2, true);
      } else {
        short_value(item);
        out_ += '\n';
      }
    }
  }
  void short_value(const Node& value) {
    if (value.is_null()) {
      out_ += '~';
    } else if (value.is_scalar()) {
      out_ += scalar_text(value, false);
    } else if (value.is_map()) {
      out_ += "{}";
    } else {
      out_ += '[';
      for (std::size_t i = 0; i < value.items.size(); ++i)
        out_ += (i > 0 ? ", " : "") + scalar_text(value.items[i], true);
      out_ += ']';
    }
  }
  std::string out_;
};

}  // namespace

std::string to_yaml_by_library(const Node& node) {
  YAML::Emitter out;
  emit(out, node, false);
  return std::string(out.c_str()) + "\n";
}

std::string to_yaml(const Node& node) {
  if (!node.is_map() || node.entries.empty() || !is_usual(node)) return to_yaml_by_library(node);
  return Writer().write(node);
}

}  // namespace timbre::config
