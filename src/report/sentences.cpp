#include "report/sentences.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "core/text.hpp"
#include "report/findings.hpp"

namespace timbre::report {

std::string comparison_sentence(const Analysis& a, const Options& options) {
  std::vector<std::string> names, genres;
  const auto add = [](std::vector<std::string>& to, const std::string& text) {
    if (std::find(to.begin(), to.end(), text) == to.end()) to.push_back(text);
  };
  for (const auto& f : a.families)
    add(names, f.experiment), add(genres, std::to_string(f.label_names.size()));
  std::set<std::string> repetitions;
  for (const auto& r : a.runs) repetitions.insert(r.repetition);
  const bool folds = std::any_of(repetitions.begin(), repetitions.end(),
                                 [](const auto& r) { return r.find(',') != r.npos; });
  const auto runs = std::int64_t(a.runs.size());
  const auto planned = options.planned > 0 ? options.planned : runs + std::int64_t(options.failed.size());
  auto text =
      fmt::format("{} ({}) in {}, {} with {}, on {} genres{}", plural(std::int64_t(names.size()), "model"),
                  listed(names), plural(a.configurations(), "configuration"), plural(runs, "run"),
                  plural(std::int64_t(repetitions.size()), folds ? "repetition" : "seed"), listed(genres),
                  a.families.size() > names.size()
                      ? fmt::format("; {} groups that cannot be ranked against each other", a.families.size())
                      : "");
  if (planned > runs)
    text += fmt::format("; {} planned, {} without a result", plural(planned, "run"), planned - runs);
  if (const auto n = std::int64_t(a.unreadable.size()); n > 0)
    text += fmt::format("; {} could not be read and {} left out", plural(n, "result"), n == 1 ? "is" : "are");
  return text + ".";
}

std::string selection_sentence(const Analysis& a) {
  std::int64_t shown = 0;
  for (const auto& f : a.families)
    for (const auto& c : f.configurations) shown += c.test.has_value();
  const auto all = a.configurations();
  if (all == std::int64_t(a.families.size()))
    return "Nothing was selected: every model has one configuration, and its test figures are shown.";
  std::vector<std::string> without;
  for (const auto& f : a.families)
    if (!f.reference) without.push_back(f.name);
  auto text = fmt::format(
      "{} configurations were compared, by mean validation clip accuracy alone. Test figures are shown for "
      "{} of them: of each model the chosen one and its reference, {}. All others' test figures are withheld "
      "by design, so that the test cannot be selected on.",
      grouped(all), shown,
      a.references_named ? "the one named for it (of a random search, its base)" : "the first configuration");
  if (!without.empty())
    text += fmt::format(
        " No reference: {}. The one named is not among the runs that are ranked there, and any other would "
        "be "
        "arbitrary.",
        listed(without));
  return text;
}

std::string interval_sentence(const Analysis& a) {
  std::vector<std::string> corrected, plain;
  double least = 1e300, most = 0;
  for (const auto& f : a.families)
    for (const auto& c : f.configurations) {
      if (c.val_clip.n < 2) continue;
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
        "resampled "
        "t-interval, mean ± t·s·√(1/k + n₂/n₁) of k splits, because their training parts overlap and a plain "
        "t-interval would be too narrow (Nadeau and Bengio, Machine Learning 52, 2003; runs on the same "
        "split are "
        "averaged first). n₂/n₁ is segments evaluated over segments trained on, {} for the test part. It "
        "answers "
        "how the mean would vary with other clips to train and test on.",
        of(corrected),
        most - least < 0.005 ? fmt::format("{:.2f}", most) : fmt::format("{:.2f} to {:.2f}", least, most));
  if (!plain.empty())
    text += fmt::format(
        "{}Over seeds on one and the same split{}, ± is half of the plain 95% t-interval, mean ± t·s/√n: how "
        "the "
        "mean would vary with other initial weights, not with other clips.",
        text.empty() ? "" : " ", of(plain));
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
      "each of "
      "these groups has a choice and a reference of its own, and figures of one say nothing on the order in "
      "another.",
      join(parted, "; "));
}

}  // namespace timbre::report
