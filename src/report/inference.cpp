#include "report/inference.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "evaluation/paired.hpp"
#include "evaluation/statistics.hpp"

namespace timbre::report {

namespace {

using Values = std::vector<Repeated>;

Repeated of_test(const RunSummary& r, double value) {
  return {value, r.split, double(r.test_segments) / double(std::max<std::int64_t>(1, r.train_segments))};
}

/// The unit of each clip; numbers are of one data set.
class Units {
 public:
  Units(const std::vector<const RunSummary*>& runs, const std::vector<const Scores*>& tests, bool folds) {
    const auto knows = [](const RunSummary* r) { return r->knows_groups(); };
    by_group_ = std::any_of(runs.begin(), runs.end(), knows);
    for (const auto* t : tests) by_group_ &= t->group.size() == t->clip.size();
    if (by_group_ || !folds) return;
    std::map<std::pair<std::string, std::int32_t>, std::string> fold_of;
    std::set<std::string> all;
    for (std::size_t i = 0; i < runs.size(); ++i) {
      if (runs[i]->fold.empty()) return;
      all.insert(runs[i]->fold);
      for (const auto clip : tests[i]->clip)
        if (!fold_of.emplace(std::pair(runs[i]->data, clip), runs[i]->fold).second &&
            fold_of[{runs[i]->data, clip}] != runs[i]->fold)
          return;
    }
    by_fold_ = all.size() > 1;
  }
  std::string name() const { return by_group_ ? "group" : by_fold_ ? "fold" : "clip"; }
  std::pair<std::string, std::int32_t> of(const RunSummary& r, const Scores& t, std::size_t i) const {
    if (by_fold_) return {r.fold, 0};
    return {r.data, t.group.size() == t.clip.size() ? t.group[i] : t.clip[i]};
  }

 private:
  bool by_group_ = false, by_fold_ = false;
};

}  // namespace

void clip_interval(const std::vector<const RunSummary*>& runs, const std::vector<const Scores*>& tests,
                   TestFigures& figures) {
  const Units units(runs, tests, false);
  std::map<std::pair<std::string, std::int32_t>, evaluation::Tally> tallies;
  std::set<std::pair<std::string, std::int32_t>> clips;
  double right = 0;
  for (std::size_t k = 0; k < tests.size(); ++k)
    for (std::size_t i = 0; i < tests[k]->clip.size(); ++i) {
      const auto& t = *tests[k];
      auto& tally = tallies[units.of(*runs[k], t, i)];
      const bool hit = t.label[i] == t.prediction[i];
      tally.right += hit, tally.all += 1, right += hit, ++figures.answers;
      clips.emplace(runs[k]->data, t.clip[i]);
    }
  std::vector<evaluation::Tally> all;
  for (const auto& [unit, tally] : tallies) all.push_back(tally);
  figures.tested = std::int64_t(clips.size());
  figures.unit = units.name(), figures.units = std::int64_t(all.size());
  const bool several = tests.size() > 1 || figures.units < figures.tested;
  figures.bootstrap = several && right > 0 && right < double(figures.answers);
  figures.clips = several ? evaluation::grouped_interval(all)
                          : evaluation::wilson_interval(std::llround(right), figures.answers);
}

TestFigures test_figures(const std::vector<const RunSummary*>& runs,
                         const std::vector<const Scores*>& tests) {
  Values clip, segment, f1, loss;
  std::vector<double> chance;
  for (std::size_t i = 0; i < tests.size(); ++i) {
    const auto& t = *tests[i];
    clip.push_back(of_test(*runs[i], t.clip_accuracy)), segment.push_back(of_test(*runs[i], t.accuracy));
    f1.push_back(of_test(*runs[i], t.clip_macro_f1)), loss.push_back(of_test(*runs[i], t.loss));
    chance.push_back(t.majority);
  }
  TestFigures out;
  out.clip = spread_of(clip, a_share), out.segment = spread_of(segment, a_share);
  out.macro_f1 = spread_of(f1, a_share), out.loss = spread_of(loss, not_negative);
  out.chance = evaluation::mean(chance);
  clip_interval(runs, tests, out);
  return out;
}

Verdict Comparison::verdict() const {
  if (!not_compared.empty() || !(adjusted < 0.05) || !difference.has_interval()) return Verdict::undecided;
  if (difference.low > 0 && balance > 0) return Verdict::first;
  if (difference.high < 0 && balance < 0) return Verdict::second;
  return Verdict::undecided;
}

Comparison compare_on_clips(const std::vector<Pair>& pairs) {
  Comparison out;
  std::vector<const RunSummary*> runs;
  std::vector<const Scores*> tests;
  for (const auto& p : pairs) runs.push_back(p.run), tests.push_back(p.first);
  const Units units(runs, tests, true);
  std::map<std::pair<std::string, std::int32_t>, std::int64_t> sums;
  std::set<std::pair<std::string, std::int32_t>> clips;
  std::int64_t answers = 0;
  Values differences;
  for (const auto& p : pairs) {
    const auto &a = *p.first, &b = *p.second;
    std::map<std::int32_t, bool> right;
    for (std::size_t i = 0; i < b.clip.size(); ++i) right[b.clip[i]] = b.label[i] == b.prediction[i];
    for (std::size_t i = 0; i < a.clip.size(); ++i, ++answers) {
      const auto d = std::int64_t(a.label[i] == a.prediction[i]) - std::int64_t(right[a.clip[i]]);
      sums[units.of(*p.run, a, i)] += d, out.balance += d;
      clips.emplace(p.run->data, a.clip[i]);
    }
    differences.push_back(of_test(*p.run, a.clip_accuracy - b.clip_accuracy));
  }
  std::vector<std::int64_t> all;
  for (const auto& [unit, sum] : sums) all.push_back(sum);
  const auto test = evaluation::sign_flip_test(all);
  out.unit = units.name(), out.units = test.units, out.clips = std::int64_t(clips.size());
  out.first_better = test.first, out.second_better = test.second;
  out.p_value = out.adjusted = test.p_value, out.least = test.least;
  out.difference = spread_of(differences, a_difference);
  out.detectable = evaluation::detectable_difference(all, answers);
  if (const auto& d = out.difference; d.has_interval()) {
    const auto degrees = double(d.repetitions - 1);
    const double power =
        (evaluation::student_quantile(0.975, degrees) + evaluation::student_quantile(0.8, degrees)) * d.error;
    out.detectable = std::isnan(out.detectable) ? out.detectable : std::max(out.detectable, power);
  }
  return out;
}

void adjust(const std::vector<Comparison*>& tests) {
  std::vector<double> p;
  for (const auto* c : tests) p.push_back(c->p_value);
  const auto adjusted = evaluation::holm(p);
  for (std::size_t i = 0; i < tests.size(); ++i) {
    tests[i]->adjusted = adjusted[i];
    // Of so many tests, so few units never give a p-value that stays below 5%.
    if (!(tests[i]->least * double(tests.size()) < 0.05)) tests[i]->detectable = std::nan("");
  }
}

}  // namespace timbre::report
