#include "study/study.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <stdexcept>

#include "config/settings.hpp"
#include "core/philox.hpp"
#include "core/text.hpp"
#include "run/guard.hpp"
#include "study/study_config.hpp"
#include "study/study_index.hpp"

namespace timbre::study {

namespace {

constexpr std::size_t most_runs = 10000;

/// One value of every axis.
using Combination = std::vector<config::Node>;

// Whether a value for `path` would be lost in, or contradict, what the axis gives; one for a part that holds the axis
// (an optimizer, say, whose rate is swept) comes first.
bool contradicts(std::string_view path, std::string_view axis) {
  return path.starts_with(axis) &&
         (path.size() == axis.size() || path[axis.size()] == '.' || path[axis.size()] == '[');
}

void refuse_swept(const std::string& path, const std::string& asked, const StudyConfig& study, bool seeds) {
  for (const auto& axis : study.axes.all)
    if (contradicts(path, axis.path))
      fail_request("{}: the study sweeps {}; a value for all runs contradicts it", asked, axis.path);
  if (path == "seed" && seeds) fail_request("{}: the study sweeps the seed; --seeds names others", asked);
}

// Every value of an axis as the names of runs bear it, in the order of the axis.
std::vector<std::string> value_texts(const Axis& axis) {
  std::vector<const config::Node*> values;
  for (const auto& value : axis.values) values.push_back(&value);
  return config::short_texts(values);
}

std::string value_text(const Axis& axis, const std::vector<std::string>& texts, const config::Node& value) {
  for (std::size_t i = 0; i < axis.values.size(); ++i)
    if (config::same(&axis.values[i], &value)) return texts[i];
  return value.scalar;  // drawn from a range
}

// As many digits as a person would give a setting.
config::Node drawn(const Axis& axis, PhiloxSequence& random) {
  auto node = [&] {
    switch (axis.range) {
      case Axis::Range::uniform:
        return config::Node::plain(fmt::format("{:.3g}", random.uniform(axis.low, axis.high)));
      case Axis::Range::log_uniform:
        return config::Node::plain(
            fmt::format("{:.3g}", std::exp(random.uniform(std::log(axis.low), std::log(axis.high)))));
      case Axis::Range::integer:
        return config::Node::plain(fmt::format(
            "{}",
            std::int64_t(axis.low) + std::int64_t(random.below(std::uint64_t(axis.high - axis.low) + 1))));
      case Axis::Range::none:
        break;
    }
    return axis.values[random.below(axis.values.size())];
  }();
  if (node.origin.source.empty()) node.origin = axis.origin;
  return node;
}

std::vector<Combination> grid(const StudyConfig& study) {
  std::vector<Combination> all{{}};
  std::size_t count = 1;
  for (const auto& axis : study.axes.all) {
    if (axis.range != Axis::Range::none)
      fail_request("{}: axes.{}: a range is for a random search; write search: {{random: {{runs: 20}}}}",
                   axis.origin.source, axis.path);
    count *= std::max<std::size_t>(axis.values.size(), 1);  // no list is longer than 100,000
    if (count > most_runs)
      fail_request("{}: axes: more than {} combinations; a random search draws some of them",
                   axis.origin.source, most_runs);
    std::vector<Combination> next;
    for (const auto& begun : all)
      for (const auto& value : axis.values) {
        next.push_back(begun);
        next.back().push_back(value);
      }
    all = std::move(next);
  }
  return all;
}

// Different combinations, each draw a stream of its own. Where there are too few, that is an error.
std::vector<Combination> draws(const StudyConfig& study, const std::string& place) {
  if (study.axes.all.empty()) fail_request("{}: search: a random search needs axes", place);
  std::vector<Combination> all;
  std::set<std::string> seen;
  const auto trials = 100 * study.search.runs;
  for (std::int64_t trial = 0; trial < trials && std::ssize(all) < study.search.runs; ++trial) {
    PhiloxSequence random(std::uint64_t(study.search.seed), stream::search, std::uint32_t(trial));
    Combination one;
    std::string text;
    for (const auto& axis : study.axes.all) {
      one.push_back(drawn(axis, random));
      text += config::to_yaml(one.back()) + "\n";
    }
    if (seen.insert(text).second) all.push_back(std::move(one));
  }
  if (std::ssize(all) < study.search.runs)
    fail_request("{}: search.random.runs: the axes have fewer than {} different combinations", place,
                 study.search.runs);
  return all;
}

class Builder {
 public:
  Builder(Study& study, std::string place, std::filesystem::path runs, int threads, run::Watcher& watcher)
      : study_(study), place_(std::move(place)), index_(study, std::move(runs), threads, watcher) {}

  /// Whether a configuration was added with another seed: then `root` of the next is not looked at.
  bool knows(std::size_t configuration) const { return parsed_.contains(configuration); }

  void add(config::Node root, const std::string& settings, std::size_t configuration, std::int64_t seed,
           bool base) {
    if (!knows(configuration)) {
      if (seed >= 0) root.set("seed", config::Node::plain(std::to_string(seed)), {"seeds", "."});
      parsed_.emplace(configuration, run::parse_run_config(std::move(root)));
    }
    StudyRun run{.config = parsed_.at(configuration), .configuration = configuration, .base = base};
    if (seed >= 0) run.config.seed = seed;
    index_.place(run);
    const auto plan = study_.plan(run);
    run.split = told_of(plan);  // what is wrong with it is said before any run
    run.name = run.config.experiment + settings + fmt::format(" seed={}", run.config.seed);
    const auto key = run::configuration_key(plan);
    if (const auto [twin, fresh] = keys_.emplace(key, study_.runs.size()); !fresh) {
      const auto& other = study_.runs[twin->second];
      if (other.base) return;  // the base was drawn, too
      fail_request("{}: '{}' and '{}' are the same run", place_, other.name, run.name);
    }
    configurations_.insert(configuration);
    study_.configurations = configurations_.size();
    run.folder = folders_.name(run.name, key);
    study_.runs.push_back(std::move(run));
  }

 private:
  static std::vector<std::string> told_of(const run::Plan& plan) {
    const auto [table, split] = run::preview(plan, *plan.survey);
    std::vector<std::string> out;
    for (const auto& s : results::split_stamps(run::split_record(split, table.clips)))
      out.push_back(s.name + ": " + s.text);
    for (const auto& bad : table.bad_files)
      out.push_back(fmt::format("skipped: {}: {}", bad.path, bad.reason));
    for (auto& note : run::split_notes(plan.config, split)) out.push_back(std::move(note));
    return out;
  }

  Study& study_;
  std::string place_;
  StudyIndex index_;
  std::map<std::string, std::size_t> keys_;  // to the number of the run
  std::set<std::size_t> configurations_;
  std::map<std::size_t, run::RunConfig> parsed_;
  RunFolders folders_;
};

}  // namespace

std::string RunFolders::name(const std::string& run, const std::string& key) {
  std::string readable;
  for (const char c : run) {
    const bool plain = std::isalnum(static_cast<unsigned char>(c)) ||
                       std::string_view("._+=,").find(c) != std::string_view::npos;
    readable += c == ' ' ? '_' : plain ? c : '-';
  }
  readable = readable.substr(0, 120) + "_";
  for (const std::size_t digits : {std::size_t{8}, key.size()})
    if (auto name = readable + key.substr(0, digits); taken_.insert(name).second) return name;
  throw std::invalid_argument("two runs with one key");
}

Study load_study(const std::filesystem::path& file, const std::vector<std::string>& overrides,
                 const std::vector<std::int64_t>& seeds, const std::filesystem::path& runs, int threads,
                 run::Watcher* watcher) {
  const auto root = config::load_file(file);
  auto asked = schema(config::of<StudyConfig>{}).parse(config::Reader(root));
  if (const auto* node = root.find("seeds"); node && node->is_sequence() && node->items.empty())
    config::Reader(root).fail_at_key("seeds", "'seeds' is empty");
  if (!seeds.empty()) asked.seeds = seeds;
  const auto distinct = std::set(asked.seeds.begin(), asked.seeds.end());
  if (distinct.size() != asked.seeds.size())
    fail_request("{}: seeds: a seed is there twice", root.origin.source);
  if (asked.base) asked.runs = {{*asked.base, {}, root.origin}};

  Study study{.name = asked.study, .jobs = asked.jobs, .stop_on_error = asked.on_error == "stop"};
  for (const auto& axis : asked.axes.all) study.axes.push_back(axis.path);
  study.sealed = !study.axes.empty();
  study.slurm = asked.slurm;
  const bool sweeps_seed = !asked.seeds.empty();
  for (const auto& a : overrides) {
    const auto path = config::override_path(a);
    refuse_swept(path, "--set " + path, asked, sweeps_seed);
  }

  // The configurations that the study begins with, each with what is set for all of its runs.
  std::vector<config::Node> entries;
  std::map<std::string, std::size_t> experiments;
  for (std::size_t i = 0; i < asked.runs.size(); ++i) {
    auto node = config::load_file(asked.runs[i].config);
    for (const auto* set : {&asked.set, &asked.runs[i].set})
      for (const auto& [path, value, origin] : set->all) {
        const auto place = fmt::format("{}: set.{}", origin.source, path);
        refuse_swept(path, place, asked, sweeps_seed);
        run::assign_in_run(node, path, value, origin, place);
      }
    for (const auto& assignment : overrides) run::apply_run_override(node, assignment);
    const auto name = run::parse_run_config(node).experiment;
    if (const auto [other, fresh] = experiments.emplace(name, i); !fresh)
      fail_request(
          "{}: runs[{}]: its experiment is '{}', as that of runs[{}]; give it a name of its own: {{config: "
          "FILE, set: {{experiment: NAME}}}}",
          asked.runs[i].origin.source, i, name, other->second);
    entries.push_back(std::move(node));
  }

  const auto names = config::short_names(study.axes);
  std::vector<std::vector<std::string>> texts;
  for (const auto& axis : asked.axes.all) texts.push_back(value_texts(axis));
  const bool drawn = asked.search.runs > 0;
  const auto combinations = drawn ? draws(asked, root.origin.source) : grid(asked);
  const auto repeats = std::max<std::size_t>(asked.seeds.size(), 1);
  const auto each = entries.size() * (combinations.size() + (drawn ? 1 : 0));
  if (each > most_runs || repeats > most_runs / each)
    fail_request("{}: {} configurations with {} seeds are more than {} runs", root.origin.source, each,
                 repeats, most_runs);
  run::Watcher nobody;
  Builder builder(study, root.origin.source, runs, threads, watcher ? *watcher : nobody);
  for (const auto seed : sweeps_seed ? asked.seeds : std::vector<std::int64_t>{-1}) {
    std::size_t configuration = 0;
    for (const auto& entry : entries) {
      if (drawn) builder.add(entry, " base", configuration++, seed, true);
      for (const auto& values : combinations) {
        const bool fresh = !builder.knows(configuration);
        auto node = fresh ? entry : config::Node();
        std::string settings;
        for (std::size_t i = 0; i < values.size(); ++i) {
          const auto& axis = asked.axes.all[i];
          if (fresh)
            run::assign_in_run(node, axis.path, values[i], axis.origin,
                               fmt::format("{}: axes.{}", axis.origin.source, axis.path));
          settings += fmt::format(" {}={}", names[i], value_text(axis, texts[i], values[i]));
        }
        builder.add(std::move(node), settings, configuration++, seed, false);
      }
    }
  }
  for (const auto& data : study.data)
    if (data.label_names != study.data[0].label_names)
      fail_request("{}: its runs are of different genres ({}; {}), which cannot be compared",
                   root.origin.source, join(study.data[0].label_names), join(data.label_names));
  return study;
}

}  // namespace timbre::study
