#include "data/labels.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "core/error.hpp"
#include "core/text.hpp"
#include "data/clips.hpp"

namespace timbre::data {

namespace {

void require_known(const std::string& label, const std::vector<std::string>& known, const std::string& key) {
  if (std::find(known.begin(), known.end(), label) != known.end()) return;
  const auto hint = did_you_mean(label, known);
  fail_at(key, "there is no label '{}'{}the data set has: {}", printable(label),
          hint.empty() ? "; " : hint + " ", printable(join(known)));
}

}  // namespace

Renames Renames::from(const config::Reader& reader) {
  const auto& node = reader.node();
  if (!node.is_map()) reader.fail("must be a map from label to label, not " + config::describe(node));
  Renames out;
  for (const auto& [name, value] : node.entries) out.to[name] = reader.entry(name).text();
  return out;
}

config::Type Renames::describe() { return {config::Type::Kind::names}; }

config::Node Renames::dump() const {
  auto node = config::Node::map();
  for (const auto& [from, to_label] : to) node.set(from, config::Node::text(to_label));
  return node;
}

const config::Schema<LabelOptions>& schema(config::of<LabelOptions>) {
  static const auto s =
      config::Schema<LabelOptions>("which classes are used, and what they are called")
          .field("keep", &LabelOptions::keep, "the labels whose clips are used. Empty: all of them")
          .field("rename", &LabelOptions::rename,
                 "new names for labels, {from: to}. Labels that get one name become one class");
  return s;
}

void apply_labels(const LabelOptions& options, ClipIndex& index) {
  const auto found = index.label_names;
  for (const auto& label : options.keep) require_known(label, found, "dataset.labels.keep");
  for (const auto& [from, to] : options.rename.to) {
    require_known(from, found, "dataset.labels.rename");
    if (to.empty()) fail_at("dataset.labels.rename", "'{}' is renamed to nothing", printable(from));
  }
  const auto kept = [&](const std::string& label) {
    return options.keep.empty() ||
           std::find(options.keep.begin(), options.keep.end(), label) != options.keep.end();
  };
  const auto renamed = [&](const std::string& label) {
    const auto to = options.rename.to.find(label);
    return to == options.rename.to.end() ? label : to->second;
  };
  const auto before = index.clips.size();
  std::erase_if(index.clips, [&](const Clip& c) { return !kept(found[std::size_t(c.label)]); });
  std::set<std::string> names;
  for (const auto& label : found)
    if (kept(label)) names.insert(renamed(label));
  index.label_names.assign(names.begin(), names.end());
  for (auto& clip : index.clips)
    clip.label =
        std::int32_t(std::distance(names.begin(), names.find(renamed(found[std::size_t(clip.label)]))));
  if (const auto gone = before - index.clips.size(); gone > 0)
    index.notes.push_back(
        fmt::format("{} of {} clips have other labels than those of dataset.labels.keep", gone, before));
}

}  // namespace timbre::data
