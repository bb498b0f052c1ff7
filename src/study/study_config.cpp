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
};
constexpr std::array ranges{RangeName{"uniform", Axis::Range::uniform},
                            RangeName{"log_uniform", Axis::Range::log_uniform},
                            RangeName{"integer", Axis::Range::integer}};

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
  static const auto s =
      config::Schema<RandomOptions>("a random search")
          .required("runs", &RandomOptions::runs, "configurations to draw",
                    config::between(std::int64_t{1}, std::int64_t{10000}))
          .field("seed", &RandomOptions::seed, "of the draw", config::at_least(std::int64_t{0}));
  return s;
}

}  // namespace

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
      config::Schema<StudyConfig>("a study")
          .required("study", &StudyConfig::study, "name of the study and of its folder under runs/",
                    run::folder_name())
          .field("base", &StudyConfig::base, "the configuration that all runs begin with")
          .field("runs", &StudyConfig::runs, "or several of them: files, or {config: FILE, set: {...}}")
          .field("set", &StudyConfig::set, "values for every run, by path")
          .field("axes", &StudyConfig::axes, "keys of a configuration and the values they take")
          .field("search", &StudyConfig::search, "grid, or random: {runs, seed}")
          .field("seeds", &StudyConfig::seeds,
                 "every configuration is run with each; the configuration's own where absent")
          .field("jobs", &StudyConfig::jobs, "runs side by side; one per core where absent")
          .field("on_error", &StudyConfig::on_error, "what a failed run means for the others",
                 config::one_of({"continue", "stop"}))
          .check([](const StudyConfig& c) -> std::string {
            if (c.base && !c.runs.empty()) return "'base' and 'runs' exclude each other";
            if (!c.base && c.runs.empty())
              return "a study begins with a configuration: 'base' names one, 'runs' several";
            if (c.jobs && *c.jobs < 1) return "jobs must be at least 1";
            if (std::any_of(c.seeds.begin(), c.seeds.end(), [](auto seed) { return seed < 0; }))
              return "seeds must be at least 0";
            return "";
          });
  return s;
}

}  // namespace timbre::study
