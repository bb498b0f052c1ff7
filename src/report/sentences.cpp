#include "report/sentences.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "core/text.hpp"
#include "report/findings.hpp"

namespace timbre::report {

std::string repetition_word(const Analysis& a) {
  std::set<std::string> seeds;
  bool all_folds = true, seeds_alone = true;
  for (const auto& r : a.runs) {
    const auto comma = r.repetition.find(',');
    seeds.insert(r.repetition.substr(0, comma));
    all_folds &= r.repetition.find(", fold ") == comma && r.repetition.find(", split ") == r.repetition.npos;
    seeds_alone &= comma == r.repetition.npos;
  }
  return seeds_alone ? "seed" : all_folds && seeds.size() == 1 ? "fold" : "repetition";
}

std::string comparison_sentence(const Analysis& a, const Options& options) {
  std::vector<std::string> names, genres;
  const auto add = [](std::vector<std::string>& to, const std::string& text) {
    if (std::find(to.begin(), to.end(), text) == to.end()) to.push_back(text);
  };
  for (const auto& f : a.families)
    add(names, f.experiment), add(genres, std::to_string(f.label_names.size()));
  std::set<std::string> repetitions;
  for (const auto& r : a.runs) repetitions.insert(r.repetition);
  const auto runs = std::int64_t(a.runs.size());
  const auto planned = options.planned > 0 ? options.planned : runs + std::int64_t(options.failed.size());
  auto text =
      fmt::format("{} ({}) in {}, {} with {}, on {} genres{}", plural(std::int64_t(names.size()), "model"),
                  listed(names), plural(a.configurations(), "configuration"), plural(runs, "run"),
                  plural(std::int64_t(repetitions.size()), repetition_word(a)), listed(genres),
                  a.families.size() > names.size()
                      ? fmt::format("; {} groups that cannot be ranked against each other", a.families.size())
                      : "");
  if (planned > runs)
    text += fmt::format("; {} planned, {} without a result", plural(planned, "run"), planned - runs);
  if (const auto n = std::int64_t(a.unreadable.size()); n > 0)
    text += fmt::format("; {} could not be read and {} left out", plural(n, "result"), n == 1 ? "is" : "are");
  return text + ".";
}

namespace {

/// How often the test parts of the results here were scored, and by what.
std::string ledger_sentence(const Analysis& a) {
  std::map<std::string, std::int64_t> looks;
  std::map<std::pair<std::string, std::int32_t>, std::int64_t> of_split;
  std::int64_t sealed = 0, often = 0, unknown = 0, most = 0;
  for (const auto& r : a.runs) {
    if (!r.scored()) continue;
    sealed += r.sealed(), often += r.looks.size() > 1, unknown += r.test && r.looks.empty();
    std::set<std::string> by;
    for (const auto& look : r.looks) by.insert(look.by);
    for (const auto& name : by) ++looks[name];
    if (r.test) most = std::max(most, ++of_split[{r.data, r.split}]);
  }
  std::vector<std::string> texts;
  for (const auto& [by, count] : looks) texts.push_back(fmt::format("{} by {}", count, by));
  std::string out;
  if (sealed > 0)
    out += fmt::format(" The test parts of {} are sealed: {} never scored.", plural(sealed, "run"),
                       sealed == 1 ? "it was" : "they were");
  if (!texts.empty()) out += " Scored on the test part, by their ledgers: " + listed(texts) + ".";
  if (often > 0)
    out += fmt::format(" {} scored there more than once.",
                       often == 1 ? "1 of them was" : fmt::format("{} of them were", often));
  if (unknown > 0) out += fmt::format(" {} of an earlier version kept no ledger.", plural(unknown, "result"));
  if (most > 1)
    out += fmt::format(" One and the same test part was scored by up to {} runs of this report.", most);
  return out;
}

bool has_early_stopping(const Analysis& a) {
  return std::any_of(a.runs.begin(), a.runs.end(), [](const RunSummary& r) { return r.early_stopping; });
}

}  // namespace

std::string test_caption(const Analysis& a) {
  bool leaks = false, nested = false, several = false;
  std::set<std::int32_t> splits;
  for (const auto& r : a.runs)
    if (r.scored()) leaks |= r.leaks, splits.insert(r.split);
  for (const auto& f : a.families) nested |= f.nested;
  several = splits.size() > 1;
  std::string text =
      several ? "Clips of each split’s test part; in that split they took no part in training or selection"
              : "Clips of the test part, which took no part in training or selection";
  if (several) text += " (in other splits they may have been trained on)";
  if (leaks) text += ". Under the stamp LEAKS, they, or copies of them, were trained on";
  return text + ".";
}

std::string selection_sentence(const Analysis& a) {
  const auto all = a.configurations();
  const auto epochs =
      has_early_stopping(a) ? " Early stopping chose the epoch of each run, on its validation part." : "";
  if (all == std::int64_t(a.families.size()))
    return "No configuration was selected: every model has one, and its test figures are shown." +
           std::string(epochs) + ledger_sentence(a);
  std::int64_t nested = 0, fixed_split = 0, withheld = 0, sealed = 0;
  std::vector<std::string> without, untested, unscored;
  for (const auto& f : a.families) {
    if (!f.reference) without.push_back(f.name);
    if (f.configurations.size() < 2) continue;
    (f.nested ? nested : fixed_split) += 1;
    if (f.chosen && !f.selected.test) unscored.push_back(f.name);
    if (f.reference && !f.configurations[*f.reference].test) untested.push_back(f.name);
    for (std::size_t i = 0; i < f.configurations.size(); ++i)
      for (const auto k : f.configurations[i].runs) {
        const bool shown =
            (f.reference == i && f.configurations[i].test) ||
            std::find(f.selected.runs.begin(), f.selected.runs.end(), k) != f.selected.runs.end();
        if (!shown && a.runs[k].scored()) (a.runs[k].sealed() ? sealed : withheld) += 1;
      }
  }
  auto text =
      fmt::format("{} configurations were compared, by validation clip accuracy alone.", grouped(all));
  if (nested > 0)
    text +=
        " Where seeds or folds have splits of their own, each split chose for itself: the configuration with "
        "the best validation part of that split was scored on that split's test part, and the test figure is "
        "the mean "
        "over splits. No test clip helped to choose what it was used to test.";
  if (fixed_split > 0)
    text +=
        nested > 0
            ? " Elsewhere all runs share one split, whose validation part chose by the mean over its runs."
            : " All runs of a model share one split, whose validation part chose by the mean over its runs; "
              "its test part took no part in that.";
  if (withheld > 0)
    text += fmt::format(
        " Test figures of all others are withheld by design, so that the test cannot be selected on ({} that "
        "were scored when they ran).",
        plural(withheld, "run"));
  if (!untested.empty())
    text += fmt::format(" The reference ({}) is shown on validation only: a study scores what it has chosen.",
                        a.references_named ? "the base of the search" : "the first configuration");
  else
    text += fmt::format(" The table shows each model's reference beside it: {}.",
                        a.references_named ? "the one named for it (of a random search, its base)"
                                           : "the first configuration");
  if (!unscored.empty())
    text += fmt::format(
        " No test figures of {}: what validation chooses among the results here is sealed; the study's own "
        "command, run again, scores what it chose.",
        listed(unscored));
  if (!without.empty())
    text += fmt::format(
        " No reference: {}. The one named is not among the runs that are ranked there, and any other would "
        "be arbitrary.",
        listed(without));
  return text + epochs + ledger_sentence(a);
}

namespace {

std::vector<const Configuration*> figures_of(const Family& f) {
  std::vector<const Configuration*> out{&f.selected};
  for (const auto& c : f.configurations) out.push_back(&c);
  return out;
}

}  // namespace

std::string interval_sentence(const Analysis& a) {
  std::vector<std::string> corrected, plain;
  double least = 1e300, most = 0;
  for (const auto& f : a.families)
    for (const auto& c : f.configurations) {
      if (!c.val_clip.has_interval()) continue;
      auto& names = c.val_clip.corrected ? corrected : plain;
      if (std::find(names.begin(), names.end(), f.name) == names.end()) names.push_back(f.name);
      for (const auto i : c.runs)
        if (const auto& r = a.runs[i]; c.val_clip.corrected && r.scored() && r.train_segments > 0) {
          const double share = double(r.test_segments) / double(r.train_segments);
          least = std::min(least, share), most = std::max(most, share);
        }
    }
  const auto of = [&](const auto& names) {
    return corrected.empty() || plain.empty() ? std::string() : " (of " + listed(names) + ")";
  };
  std::string text;
  if (!corrected.empty())
    text = fmt::format(
        "Over seeds and folds that each have a split of their own{}, ± is half of the 95% corrected "
        "resampled t-interval, mean ± t·s·√(1/k + n₂/n₁) of k splits, because their training parts overlap "
        "and a plain "
        "t-interval would be too narrow (Nadeau and Bengio, Machine Learning 52, 2003; runs on the same "
        "split are averaged first). n₂/n₁ is segments evaluated over segments trained on, {} for the test "
        "part. It "
        "answers how the mean would vary with other clips to train and test on.",
        of(corrected),
        most - least < 0.005 ? fmt::format("{:.2f}", most) : fmt::format("{:.2f} to {:.2f}", least, most));
  if (!plain.empty())
    text += fmt::format(
        "{}Over seeds on one and the same split{}, ± is half of the plain 95% t-interval, mean ± t·s/√n: how "
        "the mean would vary with other seeds (initial weights, order and dropout), not with other clips.",
        text.empty() ? "" : " ", of(plain));
  bool two = false, cut = false;
  for (const auto& f : a.families)
    for (const auto* c : figures_of(f)) {
      two |= c->val_clip.repetitions == 2, cut |= c->val_clip.is_cut() || (c->test && c->test->clip.is_cut());
    }
  const auto add = [&](const char* sentence) { text += (text.empty() ? "" : " ") + std::string(sentence); };
  if (two)
    add("Two repetitions have no interval (Student's factor is 12.7 there, so that it would say nothing): "
        "their two figures are given in brackets.");
  if (cut) add("Intervals that would reach beyond 0 or 100% are cut there, and written as a range.");
  return text;
}

std::string parting_sentence(const Analysis& a) {
  std::map<std::string, std::vector<std::string>> experiments;
  for (const auto& f : a.families)
    if (!f.apart.empty()) experiments[f.experiment].push_back(f.name);
  std::vector<std::string> parted;
  for (const auto& [experiment, names] : experiments) parted.push_back(listed(names));
  if (parted.empty()) return "";
  return fmt::format(
      "Ranked apart: {}. Configurations are ranked and paired only where their records show the same "
      "validation clips for every seed, data of the same kind and a split that leaks for all or for none; "
      "each of these groups has a choice and a reference of its own, and figures of one say nothing on the "
      "order in "
      "another.",
      join(parted, "; "));
}

}  // namespace timbre::report
