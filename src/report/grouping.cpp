#include "report/grouping.hpp"

#include <algorithm>
#include <cstdlib>
#include <map>
#include <set>
#include <tuple>

#include "core/error.hpp"
#include "core/text.hpp"
#include "report/comparable.hpp"
#include "report/settings.hpp"

namespace timbre::report {

namespace fs = std::filesystem;
using config::Node;

namespace {

bool is_again(const fs::path& file) { return file.parent_path().filename().string().ends_with("-again"); }

/// Whether two results of one run say the same: one may be sealed, or of a version that kept less.
bool alike(const RunSummary& a, const RunSummary& b) {
  const auto same_scores = [](const std::optional<Scores>& x, const std::optional<Scores>& y) {
    return !x || !y || (x->set == y->set && x->prediction == y->prediction && x->loss == y->loss);
  };
  return a.status == b.status && a.epochs_run == b.epochs_run && a.weights_epoch == b.weights_epoch &&
         a.history.loss == b.history.loss && a.history.val_loss == b.history.val_loss &&
         same_scores(a.validation, b.validation) && same_scores(a.test, b.test);
}

}  // namespace

ReadRuns read_runs(const std::vector<fs::path>& results, Catalogue& catalogue, const storage::Trust& trust) {
  ReadRuns out;
  std::set<fs::path> seen;
  const auto read = results::result_reader(false, trust);
  std::map<std::string, std::size_t> keys;
  for (const auto& file : results) {
    std::error_code ignored;
    const auto real = fs::weakly_canonical(file, ignored);
    if (!seen.insert(real.empty() ? file : real).second) continue;
    try {
      out.runs.push_back(read_run(file, catalogue, read));
    } catch (const std::bad_alloc&) {
      throw;
    } catch (const std::exception& e) {  // one bad file does not keep the others from the report
      const std::string name = printable(file.string()), message = printable(e.what());
      out.unreadable.push_back(
          {name, message.starts_with(name + ": ") ? message.substr(name.size() + 2) : message});
      continue;
    }
    const auto& last = out.runs.back();
    if (last.key.empty()) continue;
    const auto [at, added] = keys.try_emplace(last.key, out.runs.size() - 1);
    if (added) continue;
    auto& first = out.runs[at->second];
    if (!alike(first, last))
      fail_request("{} and {} are results of the same run (key {}), but differ: leave one out",
                   printable(first.file.string()), printable(file.string()), printable(last.key));
    // The one that holds more, else the original.
    if (std::pair(last.test.has_value(), !is_again(last.file)) >
        std::pair(first.test.has_value(), !is_again(first.file)))
      std::swap(first, out.runs.back());
    out.copies.push_back(printable(out.runs.back().file.string()));
    out.runs.pop_back();
  }
  if (!out.runs.empty()) return out;
  if (out.unreadable.empty()) fail_request("no result to report on");
  const auto& [name, message] = out.unreadable.front();
  if (out.unreadable.size() == 1) fail_request("{}: {}", name, message);
  fail_request("none of {} results can be read; the first: {}: {}", out.unreadable.size(), name, message);
}

namespace {

// Every path in a configuration, of sections and of values.
void collect_keys(const Node& node, const std::string& path, std::set<std::string>& out) {
  if (!path.empty()) out.insert(path);
  for (const auto& [key, value] : node.entries)
    collect_keys(value, path.empty() ? key : path + "." + key, out);
  for (std::size_t i = 0; i < node.items.size(); ++i)
    collect_keys(node.items[i], fmt::format("{}[{}]", path, i), out);
}

}  // namespace

void refuse_unknown_axes(const std::vector<RunSummary>& runs, const std::vector<std::string>& axes) {
  std::set<std::string> known;
  if (!axes.empty())
    for (const auto& r : runs)
      collect_keys(config::parse_text(r.yaml, printable(r.file.string()), "."), "", known);
  for (const auto& axis : axes)
    if (!known.contains(axis))
      fail_request("axis {}: no result has this key{}", printable(axis),
                   did_you_mean(axis, {known.begin(), known.end()}));
}

namespace {

// Configurations of the runs of one family. Where one would have the same repetition twice, the data sets differ:
// their places are put back into the settings. Returns whether they were.
bool put_places_back(std::vector<Node>& settings, const std::vector<RunSummary>& runs,
                     const std::vector<std::size_t>& members) {
  std::map<std::pair<std::string, std::string>, std::size_t> seen;
  for (std::size_t i = 0; i < members.size(); ++i) {
    const auto& run = runs[members[i]];
    const auto [at, added] = seen.try_emplace({flow(&settings[i]), run.repetition}, members[i]);
    if (added) continue;
    if (same(&run.place, &runs[at->second].place))
      fail_request("{} and {} have the same configuration and seed, but are not the same run: leave one out",
                   printable(runs[at->second].file.string()), printable(run.file.string()));
    for (std::size_t k = 0; k < members.size(); ++k) settings[k].set("dataset_place", runs[members[k]].place);
    return true;
  }
  return false;
}

bool is_number(const std::string& text, double& value) {
  char* end = nullptr;
  value = std::strtod(text.c_str(), &end);
  return !text.empty() && end == text.c_str() + text.size();
}

// The axis at a key: its distinct values, and which one each configuration has.
Axis make_axis(const std::string& key, const std::vector<const Node*>& roots,
               std::vector<std::size_t>& place) {
  Axis axis;
  axis.key = key;
  std::vector<const Node*> values;
  place.clear();
  for (const auto* root : roots) {
    const auto* v = at(*root, key);
    std::size_t k = 0;
    while (k < values.size() && !same(values[k], v)) ++k;
    if (k == values.size()) values.push_back(v);
    place.push_back(k);
  }
  auto texts = short_texts(values);
  std::vector<std::size_t> order(values.size());
  for (std::size_t k = 0; k < order.size(); ++k) order[k] = k;
  // Numbers ascending, "off" before them; other values stay as they came.
  double number = 0;
  const bool numbers = std::all_of(texts.begin(), texts.end(),
                                   [&](const auto& t) { return t == "off" || is_number(t, number); });
  if (numbers)
    std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) {
      double x = 0, y = 0;
      const bool u = is_number(texts[a], x), v = is_number(texts[b], y);
      return u != v ? v : u && x < y;
    });
  std::vector<std::size_t> rank(order.size());
  for (std::size_t k = 0; k < order.size(); ++k) rank[order[k]] = k, axis.texts.push_back(texts[order[k]]);
  for (auto& p : place) p = rank[p];
  return axis;
}

void find_axes(Family& f, const std::vector<const Node*>& roots, const std::vector<std::string>& given) {
  std::vector<std::vector<std::size_t>> places;  // [axis][configuration]
  const auto add = [&](const std::string& key) {
    std::vector<std::size_t> place;
    auto axis = make_axis(key, roots, place);
    if (axis.texts.size() < 2) return;
    f.axes.push_back(std::move(axis));
    places.push_back(std::move(place));
  };
  for (const auto& key : given) add(key);
  const auto label = [&](std::size_t c) {
    std::vector<std::size_t> out;
    for (const auto& place : places) out.push_back(place[c]);
    return out;
  };
  std::set<std::vector<std::size_t>> labels;
  for (std::size_t c = 0; c < roots.size(); ++c) labels.insert(label(c));
  if (labels.size() < roots.size())
    for (const auto& key : differing(roots))
      if (std::none_of(given.begin(), given.end(), [&](const auto& g) {
            return key == g || key.starts_with(g + ".") || key.starts_with(g + "[");
          }))
        add(key);
  std::vector<std::string> keys;
  for (const auto& axis : f.axes) keys.push_back(axis.key);
  const auto names = short_names(keys);
  for (std::size_t i = 0; i < names.size(); ++i) f.axes[i].name = names[i];
  for (std::size_t c = 0; c < roots.size(); ++c) {
    auto& configuration = f.configurations[c];
    configuration.values = label(c);
    for (std::size_t i = 0; i < f.axes.size(); ++i)
      configuration.name += (i ? ", " : "") + f.axes[i].name + " " + f.axes[i].texts[configuration.values[i]];
  }
}

}  // namespace

namespace {

/// Each family's data set by the last part of its place; by all of it where two places end alike.
void name_data(const std::vector<RunSummary>& runs, std::vector<Family>& families) {
  std::map<std::string, std::set<std::string>> places;
  std::vector<std::string> whole;
  const auto last = [](const std::string& place) {
    const auto path = fs::path(place).lexically_normal();
    return (path.has_filename() ? path : path.parent_path()).filename().string();
  };
  for (const auto& f : families) {
    const auto& r = runs[f.configurations[0].runs[0]];
    whole.push_back(f.synthetic ? "synthetic" : r.place.scalar);
    places[last(whole.back())].insert(whole.back());
  }
  for (std::size_t i = 0; i < families.size(); ++i) {
    const auto name = last(whole[i]);
    families[i].data = places[name].size() > 1 || name.empty() ? whole[i] : name;
  }
}

}  // namespace

std::vector<Family> group(std::vector<RunSummary>& runs, const std::vector<std::string>& axes) {
  // Runs of one experiment and one kind of data and split.
  std::vector<Family> kinds;
  std::vector<std::vector<std::size_t>> members;
  using Kind = std::tuple<std::string, bool, bool, std::vector<std::string>>;
  std::map<Kind, std::size_t> known;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    const auto& r = runs[i];
    const auto [at, added] =
        known.try_emplace({r.experiment, r.synthetic, r.leaks, r.label_names}, kinds.size());
    if (added) {
      kinds.push_back({.experiment = r.experiment,
                       .label_names = r.label_names,
                       .synthetic = r.synthetic,
                       .leaks = r.leaks});
      members.emplace_back();
    }
    members[at->second].push_back(i);
  }
  std::vector<std::vector<Node>> settings;
  for (const auto& m : members) {
    settings.emplace_back();
    for (const auto i : m) settings.back().push_back(runs[i].settings);
    if (put_places_back(settings.back(), runs, m))
      for (auto& r : runs)
        if (!r.synthetic) r.data = flow(&r.place);
  }
  std::vector<Family> families;
  std::vector<std::vector<const Node*>> roots;  // of each family's configurations
  for (std::size_t k = 0; k < kinds.size(); ++k) {
    std::map<std::string, std::size_t> seen;
    std::vector<Configuration> configurations;
    std::vector<const Node*> nodes;
    for (std::size_t m = 0; m < members[k].size(); ++m) {
      const auto [at, added] = seen.try_emplace(flow(&settings[k][m]), nodes.size());
      if (added) nodes.push_back(&settings[k][m]), configurations.emplace_back();
      configurations[at->second].runs.push_back(members[k][m]);
    }
    for (const auto& part : comparable(runs, configurations, nodes)) {
      families.push_back(kinds[k]), roots.emplace_back();
      for (const auto c : part)
        families.back().configurations.push_back(configurations[c]), roots.back().push_back(nodes[c]);
      find_axes(families.back(), roots.back(), axes);
    }
  }
  name_apart(families, roots);
  name_data(runs, families);
  return families;
}

}  // namespace timbre::report
