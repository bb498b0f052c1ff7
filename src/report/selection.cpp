#include "report/selection.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <tuple>

#include "core/text.hpp"

namespace timbre::report {

namespace {

/// A configuration's runs that took part in a choice.
struct Entry {
  std::size_t configuration;
  std::vector<std::size_t> scored;
  std::set<std::string> repetitions;
  bool diverged = false, sealed = false;
  double accuracy = 0, loss = 0;
};

Entry entry_of(const std::vector<RunSummary>& runs, std::size_t configuration,
               const std::vector<std::size_t>& members) {
  Entry e{.configuration = configuration};
  std::vector<double> accuracies, losses;
  for (const auto i : members) {
    const auto& r = runs[i];
    e.diverged |= r.status == "diverged";
    if (!r.scored()) continue;
    e.sealed |= r.sealed();
    e.scored.push_back(i), e.repetitions.insert(r.repetition);
    accuracies.push_back(r.validation->clip_accuracy), losses.push_back(r.validation->loss);
  }
  e.accuracy = evaluation::mean(accuracies), e.loss = evaluation::mean(losses);
  return e;
}

/// The best of them; null where none was scored. `diverged`: the best has runs that diverged, as all have.
const Entry* best_of(const std::vector<Entry>& entries, bool& diverged) {
  const Entry* fullest = nullptr;
  for (const auto& e : entries)
    if (!e.diverged && e.scored.size() > (fullest ? fullest->scored.size() : 0)) fullest = &e;
  // Equal accuracies may differ in their last bits, by the order of their sums. Ties go to the one that a study has scored,
  // so that the order of the files does not matter.
  const auto rank = [](const Entry& e) {
    return std::tuple(std::round(-1e9 * e.accuracy), e.loss, e.sealed);
  };
  for (const bool whole : {true, false}) {
    const Entry* best = nullptr;
    for (const auto& e : entries) {
      if (e.scored.empty() || (whole && (e.diverged || !fullest || e.repetitions != fullest->repetitions)))
        continue;
      if (!best || rank(e) < rank(*best)) best = &e;
    }
    diverged = !whole;
    if (best) return best;
  }
  return nullptr;
}

/// "dropout 0.2 (3 of 5 splits), dropout 0 (2)"
std::string describe(const Family& f) {
  std::map<std::size_t, std::size_t> counts;
  for (const auto& c : f.choices) ++counts[c.configuration];
  std::vector<std::pair<std::size_t, std::size_t>> order(counts.begin(), counts.end());
  std::stable_sort(order.begin(), order.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  std::vector<std::string> texts;
  for (const auto& [configuration, count] : order) {
    if (texts.size() == 4 && order.size() > 5) {
      texts.push_back(fmt::format("and {} others", order.size() - 4));
      break;
    }
    texts.push_back(texts.empty() ? fmt::format("{} ({} of {} splits)", f.configurations[configuration].name,
                                                count, f.choices.size())
                                  : fmt::format("{} ({})", f.configurations[configuration].name, count));
  }
  return join(texts, "; ");
}

}  // namespace

void choose(const std::vector<RunSummary>& runs, Family& f) {
  std::vector<Entry> all;
  std::vector<std::int32_t> splits;  // as they are first seen
  for (std::size_t c = 0; c < f.configurations.size(); ++c) {
    all.push_back(entry_of(runs, c, f.configurations[c].runs));
    for (const auto i : all.back().scored)
      if (std::find(splits.begin(), splits.end(), runs[i].split) == splits.end())
        splits.push_back(runs[i].split);
  }
  if (const auto* best = best_of(all, f.chosen_diverged)) f.chosen = best->configuration;
  if (!f.chosen) return;
  f.nested = f.configurations.size() > 1 && splits.size() > 1;
  if (!f.nested) {
    f.selected = f.configurations[*f.chosen];
    return;
  }
  // Runs that diverged were on a split, too: that of the others with their repetition.
  std::map<std::string, std::int32_t> split_of;
  for (const auto& c : f.configurations)
    for (const auto i : c.runs)
      if (runs[i].scored()) split_of.emplace(runs[i].repetition, runs[i].split);
  for (const auto split : splits) {
    std::vector<Entry> entries;
    for (std::size_t c = 0; c < f.configurations.size(); ++c) {
      std::vector<std::size_t> members;
      for (const auto i : f.configurations[c].runs)
        if (const auto at = split_of.find(runs[i].repetition); at != split_of.end() && at->second == split)
          members.push_back(i);
      entries.push_back(entry_of(runs, c, members));
    }
    bool diverged = false;
    const auto* best = best_of(entries, diverged);
    if (!best) continue;
    f.choices.push_back({split, best->configuration, best->scored});
    f.selected.runs.insert(f.selected.runs.end(), best->scored.begin(), best->scored.end());
  }
  const bool one = std::all_of(f.choices.begin(), f.choices.end(), [&](const SplitChoice& c) {
    return c.configuration == f.choices[0].configuration;
  });
  f.selected.name = one ? f.configurations[f.choices[0].configuration].name : describe(f);
  f.selected.values = f.configurations[*f.chosen].values;
}

std::vector<Chosen> chosen_runs(const Analysis& a) {
  std::vector<Chosen> out;
  for (const auto& f : a.families) {
    if (!f.chosen) continue;
    const auto why = f.configurations.size() == 1
                         ? fmt::format("the only configuration of {}", f.name)
                         : fmt::format("chosen on validation among {} configurations of {}{}",
                                       f.configurations.size(), f.name, f.nested ? ", in this split" : "");
    for (const auto i : f.selected.runs)
      if (a.runs[i].scored()) out.push_back({a.runs[i].file, why, a.runs[i].sealed()});
  }
  return out;
}

}  // namespace timbre::report
