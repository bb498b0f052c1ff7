#include "run/evaluate.hpp"

#include <algorithm>
#include <map>
#include <numeric>
#include <utility>

#include "core/hash.hpp"
#include "core/interrupt.hpp"
#include "core/text.hpp"
#include "data/external.hpp"
#include "device/device.hpp"
#include "results/environment.hpp"
#include "run/record.hpp"
#include "run/scoring.hpp"
#include "run/trained.hpp"

namespace timbre::run {

namespace {

namespace fs = std::filesystem;

/// Where other features from elsewhere are, and how their columns are called; what becomes of the rows stays the record's.
void take_table(config::Node& root, const config::Node& features, const fs::path& file) {
  const auto* external = features.find("external");
  if (!external || !external->is_map())
    fail_request("{}: names no features.external, which the network takes", printable(file.string()));
  for (const auto& [key, value] : external->entries)
    if (key != "rows" && key != "frames" && key != "width" && key != "summary" && key != "pad")
      assign_in_run(root, "features.external." + key, value, value.origin, file.string());
}

bool takes_a_table(const config::Node& root) {
  const auto* features = root.find("features");
  const auto* external = features ? features->find("external") : nullptr;
  return external && !external->is_null();
}

/// `dataset:` of another configuration; how clips are cut stays the record's.
void take_dataset(config::Node& root, const fs::path& file) {
  const auto other = config::load_file(file);
  if (takes_a_table(root)) {
    const auto* features = other.find("features");
    take_table(root, features ? *features : config::Node::map(), file);
  }
  const auto* dataset = other.find("dataset");
  if (!dataset && takes_a_table(root)) {
    assign_in_run(root, "dataset.external", config::Node::plain("true"), other.origin, file.string());
    return;
  }
  if (!dataset || !dataset->is_map()) fail_request("{}: has no dataset", printable(file.string()));
  for (const auto& [key, value] : dataset->entries)
    if (key != "segment" && key != "segment_seconds")
      assign_in_run(root, "dataset." + key, value, value.origin, file.string());
}

RunConfig config_for(const results::RunRecord& record, const std::string& shown, const fs::path& set) {
  auto root = config::parse_text(record.config, shown + " (its configuration)", ".");
  const config::Origin here{.source = "--data", .base = fs::current_path()};
  if (root.find("dataset")) assign_in_run(root, "dataset.labels", {}, here, "--data");
  const auto extension = set.extension();
  if (extension == ".yaml" || extension == ".yml") {
    take_dataset(root, set);
  } else if (takes_a_table(root)) {
    if (fs::is_directory(set))
      fail_request(
          "{}: the network takes a table of features (a file, or a configuration that names it), not a "
          "folder",
          printable(set.string()));
    assign_in_run(root, "features.external.file", config::Node::text(fs::absolute(set).string()), here,
                  "--data");
    assign_in_run(root, "features.external.format", {}, here, "--data");
    assign_in_run(root, "dataset.external", config::Node::plain("true"), here, "--data");
  } else {
    const auto* key = fs::is_directory(set) || extension != ".csv" ? "dataset.path" : "dataset.manifest";
    assign_in_run(root, key, config::Node::text(fs::absolute(set).string()), here, "--data");
  }
  return parse_run_config(std::move(root));
}

/// Leaves the clips whose labels the network knows. Returns the labels that it does not.
std::vector<std::string> keep_known(data::ClipIndex& index, const std::vector<std::string>& known) {
  std::map<std::string, std::int64_t> others;
  std::map<std::string, std::int32_t> there;
  for (const auto& clip : index.clips) {
    const auto& name = index.label_names[std::size_t(clip.label)];
    if (std::find(known.begin(), known.end(), name) == known.end())
      ++others[name];
    else
      there.emplace(name, 0);
  }
  std::erase_if(index.clips,
                [&](const auto& c) { return others.contains(index.label_names[std::size_t(c.label)]); });
  const auto before = std::exchange(index.label_names, {});
  for (auto& [name, number] : there) {
    number = std::int32_t(index.label_names.size());
    index.label_names.push_back(name);
  }
  for (auto& clip : index.clips) clip.label = there.at(before[std::size_t(clip.label)]);
  std::vector<std::string> out;
  for (const auto& [name, clips] : others)
    out.push_back(fmt::format("{} ({} clip{})", printable(name), clips, clips == 1 ? "" : "s"));
  return out;
}

/// The numbers that the network has for the labels.
void use_labels_of(const std::vector<std::string>& known, data::FeatureSet& features) {
  std::vector<std::int32_t> number;
  for (const auto& name : features.label_names)
    number.push_back(std::int32_t(std::find(known.begin(), known.end(), name) - known.begin()));
  for (auto& label : features.label) label = number[std::size_t(label)];
  for (auto& clip : features.clips) clip.label = number[std::size_t(clip.label)];
  features.label_names = known;
}

/// Every row is tested. Of what was heard in training nothing is known; clips of one artist are one unit.
data::Split all_tested(const data::FeatureSet& features) {
  data::Split split;
  split.test.resize(features.label.size());
  std::iota(split.test.begin(), split.test.end(), 0);
  split.exposure.assign(features.clips.size(), data::Exposure::unknown);
  std::map<std::string, std::size_t> first;
  for (std::size_t i = 0; i < features.clips.size(); ++i) {
    const auto& artist = features.clips[i].group;
    split.unit.push_back(artist.empty() ? i : first.emplace(artist, i).first->second);
  }
  return split;
}

}  // namespace

OtherSet evaluate_on(const fs::path& result, const fs::path& set, const std::string& device,
                     const storage::Trust& trust, const RunOptions& options, Watcher& watcher) {
  auto trained = load_trained(result, trust);
  const auto config = config_for(trained.record, printable(result.string()), set);
  ThreadPool pool(options.threads);
  auto index = with_place(config, [&] { return data::index_clips(config.dataset, config.features); });
  const auto labels = index.label_names;
  OtherSet out;
  out.record = std::move(trained.record);
  out.unknown = keep_known(index, out.record.label_names);
  auto& r = out.record;
  if (index.clips.empty())
    fail_request("{}: has no label that the network knows; its labels: {}; the network's: {}",
                 printable(set.string()), printable(join(labels)), printable(join(r.label_names)));
  const Counter progress(watcher, "features");
  auto features = data::load_features(
      index, config.dataset, config.features, options.runs / "features", pool,
      {[&](std::int64_t done, std::int64_t total) { progress(done, total); }, throw_if_stopped, device});
  for (const auto& bad : features.bad_files)
    watcher.line(fmt::format("skipped: {}: {}", printable(bad.path), printable(bad.reason)));
  use_labels_of(r.label_names, features);
  const auto split = all_tested(features);
  r.test =
      evaluation_of(predict_rows(r, trained.model, features, split.test, device, pool, trained.rows_at_once),
                    features, split.test);
  add_exposure(*r.test, split, features.clips);
  r.validation.reset();
  r.split = {};
  r.split.test = split.test;
  r.split.notes = {{"evaluated_on", set.string()}};
  r.scores = {};
  r.scores.looks = {{"evaluate", "another set"}};
  r.bad_files = features.bad_files;
  r.segments.reset();
  r.device = device;
  r.config = config::to_yaml(dump_run_config(config));
  r.environment = results::describe_environment(pool.threads());
  r.version.clear();  // this library's
  r.synthetic |= index.synthetic;
  Hasher hasher;
  hasher.text(r.key).text(features.key);
  r.key = hasher.hex();
  out.clips = std::int64_t(features.clips.size());
  return out;
}

}  // namespace timbre::run
