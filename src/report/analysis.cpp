#include "report/analysis.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <ranges>
#include <set>

#include "core/error.hpp"
#include "core/text.hpp"
#include "evaluation/baselines/baselines.hpp"
#include "report/effects.hpp"
#include "report/grouping.hpp"
#include "report/selection.hpp"

namespace timbre::report {

namespace {

using Part = std::optional<Scores> RunSummary::*;
using Values = std::vector<Repeated>;

// A figure of a run's validation part.
Repeated validated(const RunSummary& r, double value) {
  return {value, r.split,
          double(r.validation_segments) / double(std::max<std::int64_t>(1, r.train_segments))};
}

}  // namespace

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
  std::int64_t measured = 0;
  c.scored = c.diverged = c.unfinished = 0;
  for (const auto i : c.runs) {
    const auto& r = runs[i];
    c.parameters = r.parameters, c.trainable_parameters = r.trainable_parameters;
    c.diverged += r.status == "diverged", c.unfinished += r.status != "diverged" && !r.scored();
    if (!r.scored()) continue;
    ++c.scored;
    const auto& v = *r.validation;
    const auto add = [&r](Values& to, double value) { to.push_back(validated(r, value)); };
    add(clip, v.clip_accuracy), add(segment, v.accuracy), add(f1, v.clip_macro_f1), add(loss, v.loss);
    if (!std::isnan(r.train_accuracy)) add(train, r.train_accuracy), add(gap, r.gap());
    measured += r.train_measured;
    epochs.push_back(double(r.epochs_run)), best.push_back(double(r.best_epoch)),
        stopped.push_back(r.stopped_early);
    seconds.push_back(r.train_seconds);
    if (!std::isnan(r.predict_seconds)) predict.push_back(r.predict_seconds);
  }
  c.val_clip = spread_of(clip, a_share), c.val_segment = spread_of(segment, a_share);
  c.val_macro_f1 = spread_of(f1, a_share), c.val_loss = spread_of(loss, not_negative);
  c.train_accuracy = spread_of(train, a_share), c.gap = spread_of(gap, a_difference);
  c.train_measured = c.scored > 0 && measured == c.scored;
  c.epochs = evaluation::mean(epochs), c.best_epoch = evaluation::mean(best),
  c.stopped_early = evaluation::mean(stopped);
  c.train_seconds = evaluation::mean(seconds), c.predict_seconds = evaluation::mean(predict);
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
      differences.push_back(validated(*x, x->validation->clip_accuracy - y->validation->clip_accuracy));
    c.difference = spread_of(differences, a_difference);
  }
}

// Only where every run of it was tested: of a sealed configuration some are, where they were the best of their split, and
// those are its lucky ones.
void score(const std::vector<RunSummary>& runs, Configuration& c) {
  if (std::any_of(c.runs.begin(), c.runs.end(), [&](auto i) { return runs[i].sealed(); })) return;
  std::vector<const RunSummary*> scored;
  std::vector<const Scores*> tests;
  for (const auto i : c.runs)
    if (const auto& r = runs[i]; r.scored() && r.test) scored.push_back(&r), tests.push_back(&*r.test);
  if (!tests.empty()) c.test = test_figures(scored, tests);
}

std::vector<Pair> test_pairs(const std::vector<RunSummary>& runs, const Configuration& a,
                             const Configuration& b) {
  std::vector<Pair> out;
  for (const auto& [x, y] : paired(runs, a, b, &RunSummary::test)) out.push_back({x, &*x->test, &*y->test});
  return out;
}

// Baselines of the runs that are shown; each against them.
void set_against_baselines(const std::vector<RunSummary>& runs, Family& f) {
  for (const std::string name : std::views::reverse(evaluation::baseline_names)) {
    BaselineFigures b{.name = name};
    std::vector<const RunSummary*> scored;
    std::vector<const Scores*> tests;
    std::vector<Pair> pairs;
    for (const auto i : f.selected.runs)
      for (const auto& baseline : runs[i].baselines)
        if (baseline.name == name && runs[i].scored()) {
          scored.push_back(&runs[i]), tests.push_back(&baseline.test);
          pairs.push_back({&runs[i], &*runs[i].test, &baseline.test});
          b.parameters = baseline.parameters, b.unconverged += !baseline.converged;
        }
    if (tests.empty()) continue;
    b.test = test_figures(scored, tests), b.lead = compare_on_clips(pairs);
    f.baselines.push_back(std::move(b));
  }
}

void calibrate(const std::vector<const RunSummary*>& runs, evaluation::Calibration RunSummary::*part,
               Detail::Calibrated& out) {
  std::vector<double> errors, nulls, briers;
  for (const auto* r : runs) {
    const auto& c = r->*part;
    errors.push_back(c.reliability.expected_error), nulls.push_back(c.null_error), briers.push_back(c.brier);
    if (out.bins.empty()) {
      out.bins = c.reliability.bins;
      for (auto& b : out.bins) b.count = 0, b.confidence = b.accuracy = 0;
    }
    for (std::size_t b = 0; b < out.bins.size(); ++b)
      if (const auto& from = c.reliability.bins[b]; from.count > 0)
        out.bins[b].count += from.count, out.bins[b].confidence += double(from.count) * from.confidence,
            out.bins[b].accuracy += double(from.count) * from.accuracy;
  }
  // 0 / 0 is the NaN of an empty bin
  for (auto& b : out.bins) b.confidence /= double(b.count), b.accuracy /= double(b.count);
  out.error = evaluation::mean(errors), out.null = evaluation::mean(nulls),
  out.brier = evaluation::mean(briers);
}

Detail detail_of(const std::vector<RunSummary>& runs, const Configuration& c, std::int64_t classes) {
  Detail d;
  std::vector<std::int32_t> label, prediction;
  std::vector<const RunSummary*> tested;
  for (const auto i : c.runs) {
    const auto& r = runs[i];
    if (!r.scored() || !r.test) continue;
    label.insert(label.end(), r.test->label.begin(), r.test->label.end());
    prediction.insert(prediction.end(), r.test->prediction.begin(), r.test->prediction.end());
    tested.push_back(&r);
  }
  calibrate(tested, &RunSummary::clip_calibration, d.clips);
  calibrate(tested, &RunSummary::segment_calibration, d.segments);
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
      const auto pairs = test_pairs(a.runs, f.selected, g.selected);
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
}

// All tests of the report are corrected together.
void correct(Analysis& a) {
  std::vector<Comparison*> tests;
  for (auto& c : a.comparisons)
    if (c.not_compared.empty()) tests.push_back(&c);
  for (auto& f : a.families) {
    if (f.against_reference) tests.push_back(&*f.against_reference);
    for (auto& b : f.baselines)
      if (b.name == evaluation::tested_baseline) tests.push_back(&b.lead);
  }
  adjust(tests);
  a.tests = std::int64_t(tests.size());
}

// Clips that the chosen configurations of all families were tested on and never got right: of those without
// leaks (unless all leak) and of real data (unless none is), whose genres are the first's.
void find_wrong_clips(Analysis& a, const Catalogue& catalogue) {
  const auto rank = [](const Family& f) { return 2 * int(f.leaks) + int(f.synthetic); };
  const auto shown = [](const Family& f) { return f.chosen && f.selected.test; };
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
    for (const auto i : f.selected.runs) {
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
  a.copies = std::move(read.copies);
  if (options.refuse_unknown_axes) refuse_unknown_axes(a.runs, options.axes);
  a.families = group(a.runs, options.axes);
  a.references_named = options.references.has_value();
  for (auto& f : a.families) {
    for (auto& c : f.configurations) summarise(a.runs, c);
    choose(a.runs, f);
    f.reference = reference_of(f, a.runs, options);
    measure_effects(a.runs, f);
    // Tests are looked at for the selected and the reference only.
    if (f.reference) subtract_reference(a.runs, f), score(a.runs, f.configurations[*f.reference]);
    if (!f.chosen) continue;
    summarise(a.runs, f.selected), score(a.runs, f.selected);
    // (Where all splits chose one and the same, its runs are those that were selected.)
    if (f.selected.name == f.configurations[*f.chosen].name)
      f.configurations[*f.chosen].test = f.selected.test;
    if (f.reference && (f.nested || f.chosen != f.reference) && f.selected.test &&
        f.configurations[*f.reference].test)
      if (const auto pairs = test_pairs(a.runs, f.selected, f.configurations[*f.reference]); !pairs.empty())
        f.against_reference = compare_on_clips(pairs);
    if (!f.selected.test) continue;
    set_against_baselines(a.runs, f);
    f.detail = detail_of(a.runs, f.selected, std::int64_t(f.label_names.size()));
  }
  compare(a);
  correct(a);
  find_wrong_clips(a, catalogue);
  return a;
}

}  // namespace timbre::report
