#include "study/study_config.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "run/run_config.hpp"

namespace timbre::study {

namespace {

void expect_map(const config::Reader& reader, std::string_view of_what) {
  if (!reader.node().is_map())
    reader.fail(fmt::format("must be a map of {}, not {}", of_what, config::describe(reader.node())));
}

struct RangeName {
  const char* name;
  Axis::Range range;
  const char* text;
};
constexpr std::array ranges{
    RangeName{"uniform", Axis::Range::uniform, "any number of [lowest, highest]"},
    RangeName{"log_uniform", Axis::Range::log_uniform,
              "any number of [lowest, highest], even on a logarithmic scale"},
    RangeName{"integer", Axis::Range::integer, "any whole number of [lowest, highest]"}};

void read_range(const config::Reader& reader, Axis& axis) {
  std::vector<std::string> known;
  for (const auto& r : ranges) known.push_back(r.name);
  const auto choice = reader.choice("range of a random search", known);
  axis.range =
      std::find_if(ranges.begin(), ranges.end(), [&](const auto& r) { return r.name == choice.name; })->range;
  const auto bounds = choice.options();
  if (!bounds.node().is_sequence() || bounds.node().items.size() != 2)
    bounds.fail("must be [lowest, highest]");
  const bool whole = axis.range == Axis::Range::integer;
  axis.low = whole ? double(bounds.item(0).integer()) : bounds.item(0).number();
  axis.high = whole ? double(bounds.item(1).integer()) : bounds.item(1).number();
  if (!(axis.low < axis.high)) bounds.fail("its first number must be less than its second");
  if (axis.range == Axis::Range::log_uniform && axis.low <= 0)
    bounds.fail("must be greater than 0 on a logarithmic scale");
}

struct RandomOptions {
  std::int64_t runs = 0, seed = 0;
};

const config::Schema<RandomOptions>& schema(config::of<RandomOptions>) {
  static const auto s = config::Schema<RandomOptions>(
                            "that many configurations, drawn at random from the axes, beside the base")
                            .required("runs", &RandomOptions::runs, "number of configurations that are drawn",
                                      config::between(std::int64_t{1}, std::int64_t{10000}))
                            .field("seed", &RandomOptions::seed, "the random numbers of the draw",
                                   config::at_least(std::int64_t{0}));
  return s;
}

}  // namespace

config::Type Assignments::describe() { return config::Type::paths(run::describe_run_config()); }

Assignments Assignments::from(const config::Reader& reader) {
  expect_map(reader, "paths and values, as training.epochs: 60");
  Assignments out;
  const auto& node = reader.node();
  for (std::size_t i = 0; i < node.entries.size(); ++i)
    out.all.push_back({node.entries[i].first, node.entries[i].second, node.key_origins[i]});
  return out;
}

config::Node Assignments::dump() const {
  auto node = config::Node::map();
  for (const auto& a : all) node.set(a.path, a.value);
  return node;
}

config::Type StudyEntry::describe() {
  config::Struct entry{"a configuration with changes", {}, false};
  entry.keys.push_back({"config", "the configuration's file", "", "", {config::Type::Kind::path}, {}});
  entry.keys.push_back(
      {"set", "values for its runs, by path", "", "", Assignments::describe(), config::Node::map()});
  return config::Type::either({{config::Type::Kind::path}, config::Type::map(std::move(entry))});
}

StudyEntry StudyEntry::from(const config::Reader& reader) {
  StudyEntry out;
  out.origin = reader.node().origin;
  if (!reader.node().is_map()) {
    out.config = reader.path_value();
    return out;
  }
  reader.expect_keys({"config", "set"});
  if (!reader.node().find("config")) reader.fail("the key 'config' is missing (the configuration's file)");
  out.config = reader.entry("config").path_value();
  if (reader.node().find("set")) out.set = Assignments::from(reader.entry("set"));
  return out;
}

config::Node StudyEntry::dump() const {
  auto node = config::Node::map();
  node.set("config", config::Node::text(config.string()));
  node.set("set", set.dump());
  return node;
}

config::Type Axes::describe() {
  std::vector<config::Choice> scales;
  for (const auto& r : ranges) scales.push_back({r.name, r.text});
  return config::Type::paths(run::describe_run_config(), std::move(scales));
}

Axes Axes::from(const config::Reader& reader) {
  expect_map(reader, "keys of a configuration and their values, as regularisation.l2: [0, 1e-4]");
  Axes out;
  const auto& node = reader.node();
  for (std::size_t i = 0; i < node.entries.size(); ++i) {
    Axis axis{.path = node.entries[i].first, .origin = node.key_origins[i]};
    const auto values = reader.entry(axis.path);
    if (values.node().is_map()) {
      read_range(values, axis);
    } else {
      if (!values.node().is_sequence())
        values.fail("must be a sequence of values, as [0, 1e-4], not " + config::describe(values.node()));
      axis.values = values.node().items;
      if (axis.values.empty())
        reader.fail_at_key(axis.path, fmt::format("the axis '{}' is empty: it needs values", axis.path));
    }
    if (axis.path == "seed")
      reader.fail_at_key(axis.path, "seeds are swept by the key 'seeds', not by an axis");
    if (axis.path == "experiment")
      reader.fail_at_key(axis.path, "the experiment's name cannot be swept: it names what is compared");
    out.all.push_back(std::move(axis));
  }
  return out;
}

config::Node Axes::dump() const {
  auto node = config::Node::map();
  for (const auto& axis : all) {
    auto values = config::Node::sequence();
    values.items = axis.values;
    if (axis.range == Axis::Range::none) {
      node.set(axis.path, std::move(values));
      continue;
    }
    for (const auto& r : ranges)
      if (r.range == axis.range) {
        values.items = {config::Node::plain(number_text(axis.low)),
                        config::Node::plain(number_text(axis.high))};
        auto range = config::Node::map();
        range.set(r.name, std::move(values));
        node.set(axis.path, std::move(range));
      }
  }
  return node;
}

config::Type Search::describe() {
  return config::Type::part("search", {{"grid", {"every combination of the axes' values", {}, false}},
                                       {"random", schema(config::of<RandomOptions>{}).describe()}});
}

Search Search::from(const config::Reader& reader) {
  const auto choice = reader.choice("search", {"grid", "random"});
  if (choice.name == "grid") {
    if (!choice.node.is_null()) reader.fail("grid takes no options");
    return {};
  }
  const auto random = schema(config::of<RandomOptions>{}).parse(choice.options());
  return {random.runs, random.seed};
}

config::Node Search::dump() const {
  if (runs == 0) return config::Node::plain("grid");
  auto options = config::Node::map(), node = config::Node::map();
  options.set("runs", config::Node::plain(std::to_string(runs)));
  options.set("seed", config::Node::plain(std::to_string(seed)));
  node.set("random", std::move(options));
  return node;
}

const config::Schema<StudyConfig>& schema(config::of<StudyConfig>) {
  static const auto s =
      config::Schema<StudyConfig>("a study: one question asked of several runs, as run_study reads it")
          .required("study", &StudyConfig::study, "name of the study, and of its folder below runs/",
                    run::folder_name())
          .field("base", &StudyConfig::base,
                 "the configuration that all runs begin with. A study has either base or runs")
          .field("runs", &StudyConfig::runs,
                 "several configurations that are compared: files, or {config: FILE, set: {...}}")
          .field("set", &StudyConfig::set, "values for every run, by path, as {training.epochs: 60}")
          .field("axes", &StudyConfig::axes,
                 "keys of a configuration, by path, and the values they take, as {regularisation.l2: [0, "
                 "1e-4]}; every combination is run. A random search may draw from a range, as {log_uniform: "
                 "[1e-6, 1e-2]}")
          .field("search", &StudyConfig::search, "which combinations of the axes are run")
          .field("seeds", &StudyConfig::seeds,
                 "seeds that every configuration is run with. None: the configuration's own",
                 config::at_least(std::int64_t{0}))
          .field("jobs", &StudyConfig::jobs, "runs side by side. null: one per core", config::at_least(1))
          .field("on_error", &StudyConfig::on_error, "what a failed run means for the others",
                 config::choice_of({{"continue", "they go on, and the report lists what failed"},
                                    {"stop", "no further run begins"}}))
          .field("slurm", &StudyConfig::slurm, "what its jobs ask a cluster for (run_study --slurm)")
          .check([](const StudyConfig& c) -> std::string {
            if (c.base && !c.runs.empty()) return "'base' and 'runs' exclude each other";
            if (!c.base && c.runs.empty())
              return "a study begins with a configuration: 'base' names one, 'runs' several";
            return "";
          });
  return s;
}

config::Struct describe_study_config() { return schema(config::of<StudyConfig>{}).describe(); }

}  // namespace timbre::study
