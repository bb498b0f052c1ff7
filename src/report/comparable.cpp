#include "report/comparable.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "core/text.hpp"
#include "report/settings.hpp"

namespace timbre::report {

using config::Node;

namespace {

/// The validation clips of each repetition.
using Validated = std::map<std::string, std::pair<std::int32_t, std::string>>;

Validated validated(const std::vector<RunSummary>& runs, const Configuration& c) {
  Validated out;
  for (const auto i : c.runs)
    if (const auto& r = runs[i]; r.validation)
      out.emplace(r.repetition, std::pair(r.validation->set, r.data));
  return out;
}

// Whether a repetition is in both, and every one that is was validated on the same.
bool agree(const Validated& a, const Validated& b) {
  bool met = false;
  for (const auto& [repetition, set] : a)
    if (const auto at = b.find(repetition); at != b.end()) {
      if (at->second != set) return false;
      met = true;
    }
  return met;
}

bool same_split_settings(const Node& a, const Node& b) {
  return same(at(a, "dataset"), at(b, "dataset")) && same(at(a, "split"), at(b, "split"));
}

using Members = std::vector<std::size_t>;  // families of one experiment

bool distinct(const std::vector<Family>& families, const Members& members) {
  std::set<std::string> names;
  for (const auto m : members) names.insert(families[m].name);
  return names.size() == members.size();
}

// The keys in which families differ as wholes: each family has one value. Those of the data and the split
// come alone where there are any: the others differ by the way.
std::vector<std::string> parting_keys(const Members& members,
                                      const std::vector<std::vector<const Node*>>& roots) {
  std::vector<const Node*> firsts;
  for (const auto m : members) firsts.push_back(roots[m].front());
  std::vector<std::string> keys, split;
  for (const auto& key : differing(firsts)) {
    const bool constant = std::all_of(members.begin(), members.end(), [&](auto m) {
      return std::all_of(roots[m].begin(), roots[m].end(),
                         [&](const Node* n) { return same(at(*n, key), at(*roots[m].front(), key)); });
    });
    // One word distinguishes generated data from real ones; the generator's settings do not.
    if (constant && !key.starts_with("dataset.synthetic")) keys.push_back(key);
  }
  for (const auto& key : keys)
    if (of_data_or_split(key)) split.push_back(key);
  return split.empty() ? keys : split;
}

void name_members(std::vector<Family>& families, const Members& members,
                  const std::vector<std::vector<const Node*>>& roots) {
  const auto rename = [&](const auto& words_of) {
    for (const auto m : members) {
      auto& f = families[m];
      const auto words = words_of(f);
      f.name = f.experiment + (words.empty() ? "" : " (" + join(words) + ")");
    }
    return distinct(families, members);
  };
  using Words = std::vector<std::string>;
  const auto any_real =
      std::any_of(members.begin(), members.end(), [&](auto m) { return !families[m].synthetic; });
  const auto settings = [&](const Family& f) {
    Words words;
    if (f.synthetic && any_real) words.push_back("synthetic");
    for (const auto& p : f.parted_by) words.push_back(p.name + " " + p.text);
    return words;
  };
  const auto keys = parting_keys(members, roots);
  const auto names = short_names(keys);
  for (std::size_t k = 0; k < keys.size(); ++k) {
    std::vector<const Node*> values;
    for (const auto m : members) values.push_back(at(*roots[m].front(), keys[k]));
    const auto texts = short_texts(values);
    for (std::size_t i = 0; i < members.size(); ++i)
      families[members[i]].parted_by.push_back({keys[k], names[k], texts[i]});
  }
  if (rename(settings)) return;
  const auto with_leaks = [&](const Family& f) {
    auto words = settings(f);
    if (f.leaks) words.push_back("leaks");
    return words;
  };
  if (rename(with_leaks)) return;
  // The same settings on other clips: the data were not the same.
  std::map<std::string, int> seen;
  for (const auto m : members)
    if (const int n = ++seen[families[m].name]; n > 1) families[m].name += fmt::format(", clips {}", n);
}

std::string why_apart(const Family& a, const Family& b) {
  if (a.label_names != b.label_names) return "other genres";
  if (a.synthetic != b.synthetic) return "one is of synthetic data";
  if (a.leaks != b.leaks) return "the split of one of them leaks";
  return "other validation clips";
}

}  // namespace

bool of_data_or_split(const std::string& key) {
  return key.starts_with("split") || key.starts_with("dataset");
}

std::vector<std::vector<std::size_t>> comparable(const std::vector<RunSummary>& runs,
                                                 const std::vector<Configuration>& configurations,
                                                 const std::vector<const Node*>& roots) {
  struct Part {
    Validated seen;
    std::vector<std::size_t> members;
  };
  std::vector<Part> parts;
  std::vector<std::size_t> never;
  for (std::size_t c = 0; c < configurations.size(); ++c) {
    auto seen = validated(runs, configurations[c]);
    if (seen.empty()) {
      never.push_back(c);
      continue;
    }
    const auto at =
        std::find_if(parts.begin(), parts.end(), [&](const Part& p) { return agree(p.seen, seen); });
    auto& part = at == parts.end() ? parts.emplace_back() : *at;
    part.seen.merge(seen), part.members.push_back(c);
  }
  for (const auto c : never) {
    const auto at = std::find_if(parts.begin(), parts.end(), [&](const Part& p) {
      return same_split_settings(*roots[p.members.front()], *roots[c]);
    });
    (at == parts.end() ? parts.emplace_back() : *at).members.push_back(c);
  }
  std::vector<std::vector<std::size_t>> out;
  for (auto& p : parts) {
    std::sort(p.members.begin(), p.members.end());
    out.push_back(std::move(p.members));
  }
  std::sort(out.begin(), out.end());
  return out;
}

void name_apart(std::vector<Family>& families, const std::vector<std::vector<const Node*>>& roots) {
  std::map<std::string, Members> experiments;
  for (std::size_t i = 0; i < families.size(); ++i) {
    families[i].name = families[i].experiment;
    experiments[families[i].experiment].push_back(i);
  }
  for (const auto& [experiment, members] : experiments) {
    if (members.size() < 2) continue;
    name_members(families, members, roots);
    for (const auto m : members)
      for (const auto other : members)
        if (m != other)
          families[m].apart +=
              (families[m].apart.empty() ? "" : "; ") +
              fmt::format("{}: {}", families[other].name, why_apart(families[m], families[other]));
  }
}

}  // namespace timbre::report
