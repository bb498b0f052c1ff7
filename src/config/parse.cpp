// YAML text to a Node, event by event: what is too deep, too much or circular is refused while it is read, before
// anything is built of it. (yaml-cpp's own tree has no such limits, and its LoadAll never ends on text that begins with a
// comma: it asks for documents as long as the parser, which does not move, gives some.)
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <map>
#include <optional>
#include <sstream>
#include <unordered_set>

#include "config/node.hpp"
#include "core/text.hpp"

namespace timbre::config {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t deepest = deepest_nesting;
constexpr std::size_t most_nodes = 100'000, most_keys = 10'000;

/// A finished part of the tree that an alias may repeat.
struct Anchored {
  Node node;
  std::size_t nodes = 0, height = 0;
};

/// Builds one document.
class Builder : public YAML::EventHandler {
 public:
  Builder(const std::string& source, const fs::path& base) : source_(source), base_(base) {}

  Node take() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override { leaf(mark, anchor, {}); }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    Node node;
    node.quoted = tag == "!";
    if (node.quoted || !(value.empty() || value == "~" || value == "null")) {
      node.kind = Node::Kind::scalar;
      node.scalar = value;
    }
    leaf(mark, anchor, std::move(node));
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end()) fail_request("{}: an alias inside of what it stands for", at(mark).source);
    const auto& [node, nodes, height] = found->second;
    count(mark, nodes, open_.size() + height);
    add(mark, node, nodes, height);
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    begin(mark, anchor, Node::Kind::sequence);
  }
  void OnSequenceEnd() override { end(); }
  void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    begin(mark, anchor, Node::Kind::map);
  }
  void OnMapEnd() override { end(); }

 private:
  struct Open {
    Node node;
    YAML::Mark mark;
    YAML::anchor_t anchor = 0;
    std::size_t nodes = 1, height = 0;
    std::optional<std::string> key;  // of a map: read, its value not yet
    Origin key_origin;
    std::unordered_set<std::string> keys;
  };

  Origin at(const YAML::Mark& mark) const {
    return {mark.is_null() ? source_ : fmt::format("{}:{}:{}", source_, mark.line + 1, mark.column + 1),
            base_};
  }
  void count(const YAML::Mark& mark, std::size_t nodes, std::size_t depth) {
    if (depth > deepest) fail_request("{}: nested deeper than {} levels", at(mark).source, deepest);
    if ((count_ += nodes) > most_nodes) fail_request("{}: more than {} values", at(mark).source, most_nodes);
  }
  void leaf(const YAML::Mark& mark, YAML::anchor_t anchor, Node node) {
    count(mark, 1, open_.size());
    node.origin = at(mark);
    if (anchor != 0) anchors_[anchor] = {node, 1, 0};
    add(mark, std::move(node), 1, 0);
  }
  void begin(const YAML::Mark& mark, YAML::anchor_t anchor, Node::Kind kind) {
    count(mark, 1, open_.size());
    if (anchor != 0) anchors_.erase(anchor);
    Open open;
    open.node.kind = kind;
    open.node.origin = at(mark);
    open.mark = mark, open.anchor = anchor;
    open_.push_back(std::move(open));
  }
  void end() {
    auto done = std::move(open_.back());
    open_.pop_back();
    if (done.anchor != 0) {
      count(done.mark, done.nodes, open_.size());  // the copy that is kept for its aliases
      anchors_[done.anchor] = {done.node, done.nodes, done.height};
    }
    add(done.mark, std::move(done.node), done.nodes, done.height);
  }
  void add(const YAML::Mark& mark, Node node, std::size_t nodes, std::size_t height) {
    if (open_.empty()) {
      root_ = std::move(node);
      return;
    }
    auto& parent = open_.back();
    parent.nodes += nodes, parent.height = std::max(parent.height, height + 1);
    if (parent.node.is_sequence()) {
      parent.node.items.push_back(std::move(node));
    } else if (parent.key) {
      parent.node.entries.emplace_back(std::move(*parent.key), std::move(node));
      parent.node.key_origins.push_back(std::move(parent.key_origin));
      parent.key.reset();
    } else {
      const auto where = at(mark);
      if (!node.is_scalar()) fail_request("{}: a key must be a word", where.source);
      if (!parent.keys.insert(node.scalar).second)
        fail_request("{}: the key '{}' is given twice", where.source, printable(node.scalar));
      if (parent.keys.size() > most_keys)
        fail_request("{}: a map of more than {} keys", where.source, most_keys);
      parent.key = std::move(node.scalar), parent.key_origin = where;
    }
  }

  const std::string& source_;
  const fs::path& base_;
  Node root_;
  std::vector<Open> open_;
  std::map<YAML::anchor_t, Anchored> anchors_;
  std::size_t count_ = 0;
};

/// Whether a line after the first begins another document, or ends one.
bool marks_documents(const std::string& text) {
  for (auto line = text.find('\n'); line != text.npos; line = text.find('\n', line + 1))
    if (text.compare(line + 1, 3, "---") == 0 || text.compare(line + 1, 3, "...") == 0) return true;
  return false;
}

}  // namespace

Node parse_text(const std::string& text, const std::string& source, const fs::path& base) {
  if (text.size() > most_bytes) fail_request("{}: larger than 4 MiB; not a configuration", source);
  try {
    std::istringstream stream(text);
    YAML::Parser parser(stream);
    Builder document(source, base), next(source, base);
    if (!parser.HandleNextDocument(document)) return {};
    if (parser.HandleNextDocument(next)) {
      if (marks_documents(text)) fail_request("{}:1:1: more than one YAML document", source);
      fail_request("{}:1:1: not YAML: something that is no part of it follows the first value", source);
    }
    return document.take();
  } catch (const YAML::Exception& e) {
    const auto message = printable(e.msg);
    if (e.mark.is_null()) fail_request("{}:1:1: not YAML: {}", source, message);
    fail_request("{}:{}:{}: not YAML: {}", source, e.mark.line + 1, e.mark.column + 1, message);
  }
}

}  // namespace timbre::config
