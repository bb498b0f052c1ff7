#include "report/analysis.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "core/error.hpp"
#include "core/text.hpp"
#include "report/grouping.hpp"

namespace timbre::report {

namespace {

using Part = std::optional<Scores> RunSummary::*;
using Values = std::vector<Repeated>;

// A figure of a part of a run.
Repeated repeated(const RunSummary& r, Part part, double value) {
  const auto evaluated = part == &RunSummary::test ? r.test_segments : r.validation_segments;
  return {value, r.split, double(evaluated) / double(std::max<std::int64_t>(1, r.train_segments))};
}

}  // namespace

void clip_interval(const std::vector<const Scores*>& tests, TestFigures& figures) {
  std::map<std::int32_t, std::array<double, 2>> answers;  // of a clip: right, all
  double right = 0;
  for (const auto* t : tests)
    for (std::size_t i = 0; i < t->clip.size(); ++i) {
      auto& a = answers[t->clip[i]];
      const bool hit = t->label[i] == t->prediction[i];
      a[0] += hit, a[1] += 1, right += hit, ++figures.answers;
    }
  std::vector<std::array<double, 2>> clips;
  for (const auto& [clip, a] : answers) clips.push_back(a);
  figures.tested = std::int64_t(clips.size());
  figures.bootstrap = tests.size() > 1 && right > 0 && right < double(figures.answers);
  if (!figures.bootstrap) {
    const double share = figures.answers > 0 ? right / double(figures.answers) : 0;
    figures.clips = evaluation::wilson_interval(std::llround(share * double(figures.tested)), figures.tested);
    return;
  }
  figures.clips = evaluation::bootstrap_interval(figures.tested, [&](std::span<const std::int64_t> drawn) {
    double hits = 0, all = 0;
    for (const auto i : drawn) hits += clips[std::size_t(i)][0], all += clips[std::size_t(i)][1];
    return hits / all;
  });
}

Comparison compare_on_clips(const std::vector<std::array<const RunSummary*, 2>>& pairs) {
  Comparison out;
  std::map<std::int32_t, std::int64_t> balance;  // of a clip: right answers of the first minus the second's
  Values differences;
  for (const auto& [first, second] : pairs) {
    const auto &a = first->test, &b = second->test;
    std::map<std::int32_t, bool> right;
    for (std::size_t i = 0; i < b->clip.size(); ++i) right[b->clip[i]] = b->label[i] == b->prediction[i];
    for (std::size_t i = 0; i < a->clip.size(); ++i)
      balance[a->clip[i]] += std::int64_t(a->label[i] == a->prediction[i]) - std::int64_t(right[a->clip[i]]);
    differences.push_back(repeated(*first, &RunSummary::test, a->clip_accuracy - b->clip_accuracy));
  }
  std::vector<std::int32_t> first, second;
  for (const auto& [clip, sum] : balance) first.push_back(sum >= 0), second.push_back(sum <= 0);
  const auto test = evaluation::mcnemar_exact(std::vector<std::int32_t>(first.size(), 1), first, second);
  out.first_better = test.only_first, out.second_better = test.only_second,
  out.p_value = out.adjusted = test.p_value;
  out.clips = std::int64_t(balance.size());
  out.difference = spread_of(differences);
  return out;
}

std::int64_t Analysis::configurations() const {
  std::int64_t n = 0;
  for (const auto& f : families) n += std::int64_t(f.configurations.size());
  return n;
}

namespace {

// The runs of two configurations that share a repetition and the clips of a part, in the order of the first.
std::vector<std::array<const RunSummary*, 2>> paired(const std::vector<RunSummary>& runs,
                                                     const Configuration& a, const Configuration& b,
                                                     Part part) {
  std::map<std::string, const RunSummary*> second;
  for (const auto i : b.runs)
    if (runs[i].scored() && runs[i].*part) second[runs[i].repetition] = &runs[i];
  std::vector<std::array<const RunSummary*, 2>> out;
  for (const auto i : a.runs) {
    const auto& r = runs[i];
    const auto at = second.find(r.repetition);
    if (!r.scored() || !(r.*part) || at == second.end()) continue;
    const auto& other = *at->second;
    if (r.data == other.data && (r.*part)->set == (other.*part)->set) out.push_back({&r, &other});
  }
  return out;
}

void summarise(const std::vector<RunSummary>& runs, Configuration& c) {
  Values clip, segment, f1, loss, train, gap;
  std::vector<double> epochs, best, stopped, seconds, predict;
  for (const auto i : c.runs) {
    const auto& r = runs[i];
    c.parameters = r.parameters, c.trainable_parameters = r.trainable_parameters;
    c.diverged += r.status == "diverged", c.unfinished += r.status != "diverged" && !r.scored();
    if (!r.scored()) continue;
    ++c.scored;
    const auto& v = *r.validation;
    const auto add = [&r](Values& to, double value) {
      to.push_back(repeated(r, &RunSummary::validation, value));
    };
    add(clip, v.clip_accuracy), add(segment, v.accuracy), add(f1, v.clip_macro_f1), add(loss, v.loss);
    if (const double a = r.kept(&results::HistoryRecord::accuracy); !std::isnan(a))
      add(train, a), add(gap, a - v.accuracy);
    epochs.push_back(double(r.epochs_run)), best.push_back(double(r.best_epoch)),
        stopped.push_back(r.stopped_early);
    seconds.push_back(r.train_seconds);
    if (!std::isnan(r.predict_seconds)) predict.push_back(r.predict_seconds);
  }
  c.val_clip = spread_of(clip), c.val_segment = spread_of(segment), c.val_macro_f1 = spread_of(f1),
  c.val_loss = spread_of(loss);
  c.train_accuracy = spread_of(train), c.gap = spread_of(gap);
  c.epochs = evaluation::mean(epochs), c.best_epoch = evaluation::mean(best),
  c.stopped_early = evaluation::mean(stopped);
  c.train_seconds = evaluation::mean(seconds), c.predict_seconds = evaluation::mean(predict);
}

void choose(const std::vector<RunSummary>& runs, Family& f) {
  // First among those that were scored with the seeds of the one that has most: the mean of fewer is more
  // easily a lucky one, and that of others is of other clips.
  std::int64_t most = 0;
  const Configuration* fullest = nullptr;
  for (const auto& c : f.configurations)
    if (c.diverged == 0 && c.scored > most) most = c.scored, fullest = &c;
  const auto scored = [&](const Configuration& c) {
    std::set<std::string> repetitions;
    for (const auto i : c.runs)
      if (runs[i].scored()) repetitions.insert(runs[i].repetition);
    return repetitions;
  };
  for (const bool whole : {true, false}) {
    for (std::size_t i = 0; i < f.configurations.size(); ++i) {
      const auto& c = f.configurations[i];
      if (c.scored == 0 || (whole && (c.diverged > 0 || !fullest || scored(c) != scored(*fullest)))) continue;
      // Equal accuracies may differ in their last bits, by the order of their sums.
      const auto rank = [](const Configuration& x) {
        return std::pair(std::round(-1e9 * x.val_clip.mean), x.val_loss.mean);
      };
      if (!f.chosen || rank(c) < rank(f.configurations[*f.chosen])) f.chosen = i;
    }
    if (f.chosen) return;
    f.chosen_diverged = true;
  }
}

std::optional<std::size_t> reference_of(const Family& f, const std::vector<RunSummary>& runs,
                                        const Options& options) {
  if (!options.references || f.configurations.size() == 1) return 0;
  for (std::size_t c = 0; c < f.configurations.size(); ++c)
    for (const auto i : f.configurations[c].runs)
      for (const auto& file : *options.references) {
        std::error_code ignored;
        if (std::filesystem::equivalent(file, runs[i].file, ignored)) return c;
      }
  return std::nullopt;
}

void subtract_reference(const std::vector<RunSummary>& runs, Family& f) {
  for (auto& c : f.configurations) {
    Values differences;
    for (const auto& [x, y] : paired(runs, c, f.configurations[*f.reference], &RunSummary::validation))
      differences.push_back(
          repeated(*x, &RunSummary::validation, x->validation->clip_accuracy - y->validation->clip_accuracy));
    c.difference = spread_of(differences);
  }
}

void score(const std::vector<RunSummary>& runs, Configuration& c) {
  Values clip, segment, f1;
  std::vector<const Scores*> tests;
  for (const auto i : c.runs)
    if (const auto& r = runs[i]; r.scored() && r.test) {
      const auto add = [&r](Values& to, double value) {
        to.push_back(repeated(r, &RunSummary::test, value));
      };
      add(clip, r.test->clip_accuracy), add(segment, r.test->accuracy), add(f1, r.test->clip_macro_f1);
      tests.push_back(&*r.test);
    }
  if (tests.empty()) return;
  c.test.emplace();
  c.test->clip = spread_of(clip), c.test->segment = spread_of(segment), c.test->macro_f1 = spread_of(f1);
  clip_interval(tests, *c.test);
}

Detail detail_of(const std::vector<RunSummary>& runs, const Configuration& c, std::int64_t classes) {
  Detail d;
  d.confusion.assign(std::size_t(classes * classes), 0);
  std::vector<std::int32_t> label, prediction;
  double rows = 0;
  for (const auto i : c.runs) {
    const auto& r = runs[i];
    if (!r.scored() || !r.test) continue;
    label.insert(label.end(), r.test->label.begin(), r.test->label.end());
    prediction.insert(prediction.end(), r.test->prediction.begin(), r.test->prediction.end());
    auto& bins = d.reliability.bins;
    if (bins.empty()) {
      bins = r.reliability.bins;
      for (auto& b : bins) b.count = 0, b.confidence = b.accuracy = 0;
    }
    for (std::size_t b = 0; b < bins.size(); ++b)
      if (const auto& from = r.reliability.bins[b]; from.count > 0) {
        const auto n = double(from.count);
        bins[b].count += from.count, bins[b].confidence += n * from.confidence,
            bins[b].accuracy += n * from.accuracy, rows += n;
      }
  }
  for (auto& b : d.reliability.bins) {
    b.confidence /= double(b.count), b.accuracy /= double(b.count);  // 0 / 0 is the NaN of an empty bin
    if (b.count > 0)
      d.reliability.expected_error += double(b.count) / rows * std::abs(b.accuracy - b.confidence);
  }
  d.confusion = evaluation::confusion_matrix(label, prediction, classes);
  d.per_class = evaluation::per_class(d.confusion, classes);
  return d;
}

void compare(Analysis& a) {
  for (std::size_t i = 0; i < a.families.size(); ++i)
    for (std::size_t j = i + 1; j < a.families.size(); ++j) {
      const auto &f = a.families[i], &g = a.families[j];
      if (!f.chosen || !g.chosen) continue;
      Comparison c;
      const auto pairs =
          paired(a.runs, f.configurations[*f.chosen], g.configurations[*g.chosen], &RunSummary::test);
      if (f.leaks != g.leaks)
        c.not_compared = "one of them is tested on clips that leak from its training part";
      else if (f.synthetic != g.synthetic)
        c.not_compared = "one of them is of synthetic data";
      else if (f.label_names != g.label_names)
        c.not_compared = "they are of other genres";
      else if (pairs.empty())
        c.not_compared = "they were not tested on the same clips";
      else
        c = compare_on_clips(pairs);
      c.first = i, c.second = j;
      a.comparisons.push_back(c);
    }
  std::vector<double> p;
  for (const auto& c : a.comparisons)
    if (c.not_compared.empty()) p.push_back(c.p_value);
  const auto adjusted = evaluation::holm(p);
  std::size_t next = 0;
  for (auto& c : a.comparisons)
    if (c.not_compared.empty()) c.adjusted = adjusted[next++];
}

// Clips that the chosen configurations of all families were tested on and never got right: of those without
// leaks (unless all leak) and of real data (unless none is), whose genres are the first's.
void find_wrong_clips(Analysis& a, const Catalogue& catalogue) {
  const auto rank = [](const Family& f) { return 2 * int(f.leaks) + int(f.synthetic); };
  const auto shown = [](const Family& f) { return f.chosen && f.configurations[*f.chosen].test; };
  const Family* first = nullptr;
  for (const auto& f : a.families)
    if (shown(f) && (!first || rank(f) < rank(*first))) first = &f;
  for (std::size_t i = 0; i < a.families.size(); ++i)
    if (const auto& f = a.families[i];
        shown(f) && rank(f) == rank(*first) && f.label_names == first->label_names)
      a.wrong_families.push_back(i);
  struct Seen {
    std::int32_t label;
    bool right = false;
    std::vector<std::vector<std::int32_t>> taken_for;
  };
  std::map<std::pair<std::string, std::string>, Seen> seen;  // by path and data
  for (std::size_t k = 0; k < a.wrong_families.size(); ++k) {
    const auto& f = a.families[a.wrong_families[k]];
    for (const auto i : f.configurations[*f.chosen].runs) {
      if (!a.runs[i].scored() || !a.runs[i].test) continue;
      const auto& t = *a.runs[i].test;
      for (std::size_t n = 0; n < t.clip.size(); ++n) {
        auto& s = seen[{catalogue.clips.value(t.clip[n]), a.runs[i].data}];
        s.taken_for.resize(a.wrong_families.size());
        s.label = t.label[n], s.right |= t.label[n] == t.prediction[n];
        s.taken_for[k].push_back(t.prediction[n]);
      }
    }
  }
  for (auto& [clip, s] : seen) {
    if (std::any_of(s.taken_for.begin(), s.taken_for.end(), [](const auto& t) { return t.empty(); }))
      continue;
    ++a.tested_by_all;
    if (!s.right) a.wrong_clips.push_back({clip.first, s.label, std::move(s.taken_for)});
  }
  std::stable_sort(a.wrong_clips.begin(), a.wrong_clips.end(),
                   [](const auto& x, const auto& y) { return x.label < y.label; });
}

}  // namespace

Analysis analyse(const std::vector<std::filesystem::path>& results, const Options& options) {
  Analysis a;
  Catalogue catalogue;
  auto read = read_runs(results, catalogue, {.own = options.own_folder, .unverified = options.unverified});
  a.runs = std::move(read.runs), a.unreadable = std::move(read.unreadable);
  if (options.refuse_unknown_axes) refuse_unknown_axes(a.runs, options.axes);
  a.families = group(a.runs, options.axes);
  a.references_named = options.references.has_value();
  for (auto& f : a.families) {
    for (auto& c : f.configurations) summarise(a.runs, c);
    choose(a.runs, f);
    f.reference = reference_of(f, a.runs, options);
    // Tests are looked at for these two only.
    if (f.reference) subtract_reference(a.runs, f), score(a.runs, f.configurations[*f.reference]);
    if (!f.chosen) continue;
    auto& chosen = f.configurations[*f.chosen];
    if (f.chosen != f.reference) score(a.runs, chosen);
    if (f.reference && f.chosen != f.reference) {
      const auto& reference = f.configurations[*f.reference];
      if (const auto pairs = paired(a.runs, chosen, reference, &RunSummary::test); !pairs.empty()) {
        const auto c = compare_on_clips(pairs);
        f.test_difference = c.difference, f.test_p = c.p_value;
      }
    }
    if (chosen.test) f.detail = detail_of(a.runs, chosen, std::int64_t(f.label_names.size()));
  }
  compare(a);
  find_wrong_clips(a, catalogue);
  return a;
}

}  // namespace timbre::report
