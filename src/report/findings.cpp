#include "report/findings.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <tuple>

#include "core/text.hpp"
#include "evaluation/baselines/baselines.hpp"
#include "report/attribution.hpp"
#include "report/comparable.hpp"
#include "report/stamps.hpp"

namespace timbre::report {

std::string listed(const std::vector<std::string>& names) {
  if (names.size() < 2) return names.empty() ? "" : names[0];
  return join({names.begin(), names.end() - 1}) + " and " + names.back();
}

std::string full_name(const Family& f, const Configuration& c) {
  return c.name.empty() ? f.name : f.name + ": " + c.name;
}

std::string baseline_name(const std::string& name) {
  return name == "logistic" ? "logistic regression" : name == "nearest_mean" ? "nearest mean" : name;
}

std::string units_text(const std::string& unit, std::int64_t units) {
  return plural(units, unit) + (unit == "group" ? " of clips" : "");
}

std::string verdict_text(const Comparison& c) {
  switch (c.verdict()) {
    case Verdict::first:
      return "better";
    case Verdict::second:
      return "worse";
    case Verdict::undecided:
      break;
  }
  return "undecided";
}

namespace {

const Configuration& chosen(const Family& f) { return f.configurations[*f.chosen]; }

/// "67 test clips (45 groups of clips)"
std::string tested(const Comparison& c) {
  return plural(c.clips, "test clip") +
         (c.unit == "clip" && c.units == c.clips ? "" : " (" + units_text(c.unit, c.units) + ")");
}

/// Why a difference is not decided, and what could have been found: a comparison without a verdict.
std::string undecided(const Comparison& c, std::int64_t tests) {
  std::vector<std::string> why;
  if (!c.difference.has_interval())
    why.push_back(c.difference.repetitions < 2 ? "one run of each says nothing about other seeds or splits"
                                               : "two repetitions have no interval");
  else
    why.push_back("95% interval over repetitions " + point_range(c.difference));
  why.push_back("test by signs over " + units_text(c.unit, c.units) + ", Holm's p = " + p_text(c.adjusted));
  if (std::isnan(c.detectable))
    why.push_back(fmt::format("{} can show no difference, however large, where {} made",
                              units_text(c.unit, c.units),
                              tests == 1 ? "one test is" : plural(tests, "test") + " are"));
  else if (c.difference.has_interval())
    why.push_back("a difference of about " + fixed(100 * std::min(1.0, c.detectable), 0) +
                  " points would have been found in four of five such studies");
  else
    why.push_back("by these clips alone, a difference of about " +
                  fixed(100 * std::min(1.0, c.detectable), 0) +
                  " points would have been found in four of five cases");
  return join(why, "; ");
}

std::string decided(const Comparison& c) {
  return fmt::format("{}, 95% interval over repetitions {}; test by signs over {}, Holm's p = {}",
                     points(c.difference.mean), point_range(c.difference), units_text(c.unit, c.units),
                     p_text(c.adjusted));
}

void found_of_families(const Analysis& a, std::vector<std::string>& out) {
  std::vector<const Family*> order;
  for (const auto& f : a.families)
    if (f.chosen && f.selected.test) order.push_back(&f);
  if (order.empty()) return;
  std::stable_sort(order.begin(), order.end(), [](auto* x, auto* y) {
    return std::tuple(x->leaks, x->synthetic, -x->selected.test->clip.mean) <
           std::tuple(y->leaks, y->synthetic, -y->selected.test->clip.mean);
  });
  for (const auto* f : order) {
    const auto& t = *f->selected.test;
    const auto how = f->configurations.size() < 2 ? std::string()
                     : f->nested ? fmt::format(" (in each split the best of {} on its validation part)",
                                               f->configurations.size())
                                 : fmt::format(" (the best of {} on validation)", f->configurations.size());
    auto text = fmt::format("{}{} gets {} of the test clips right", f->name, how, percent(t.clip.mean));
    text += std::isnan(t.clips.low)
                ? fmt::format(" ({}, too few for an interval)", units_text(t.unit, t.units))
                : fmt::format(" (95% interval {} over {}", percent_range(t.clips.low, t.clips.high),
                              t.unit == "clip" ? plural(t.tested, "clip")
                                               : fmt::format("{} in {}", plural(t.tested, "clip"),
                                                             plural(t.units, "group")));
    if (!std::isnan(t.clips.low)) {
      if (t.clip.n > 1)
        text += fmt::format("; runs differ by a standard deviation of {} points",
                            fixed(100 * t.clip.deviation, 1));
      text += ")";
    }
    if (t.clips.low <= t.chance)
      text += fmt::format("; always answering the commonest genre ({}) may do as well", percent(t.chance));
    if (f->leaks) text += "; it is too good, since its split LEAKS";
    for (const auto& stamp : brief_stamps(a, *f)) {
      if (stamp.starts_with("ARTISTS"))
        text += "; " + stamp.substr(8) + " of its test clips are by artists of its training part (ARTISTS)";
      if (stamp == "MISSING") text += "; parts of its split lack classes (MISSING)";
    }
    if (f->synthetic) text += "; of SYNTHETIC sounds, so it says nothing about music";
    out.push_back(text + ".");
  }
}

// The selected model against the simplest models, on the same clips.
void found_of_baselines(const Analysis& a, std::vector<std::string>& out) {
  for (const auto& f : a.families)
    for (const auto& b : f.baselines) {
      if (b.name != evaluation::tested_baseline) continue;
      const auto& c = b.lead;
      const auto lead = fmt::format("{}: against {} of {} parameters ({} of the clips) it is {}", f.name,
                                    baseline_name(b.name), grouped(b.parameters), percent(b.test.clip.mean),
                                    points(c.difference.mean));
      const auto bounded =
          b.unconverged > 0 ? fmt::format(
                                  " (In {} of {} runs the regression ended before it converged: a better one "
                                  "may exist.)",
                                  b.unconverged, b.test.clip.n)
                            : "";
      if (c.verdict() == Verdict::undecided)
        out.push_back(fmt::format("{} on {}, which may be chance: {}.{}", lead, tested(c),
                                  undecided(c, a.tests), bounded));
      else
        out.push_back(
            fmt::format("{} on {}: it is {} ({}).{}", lead, tested(c), verdict_text(c), decided(c), bounded));
    }
}

// One configuration under several splits, or on several data sets: a description, not a choice.
void found_of_partings(const Analysis& a, std::vector<std::string>& out) {
  std::map<std::string, std::vector<const Family*>> experiments;
  for (const auto& f : a.families)
    if (!f.parted_by.empty()) experiments[f.experiment].push_back(&f);
  for (const auto& [experiment, families] : experiments) {
    if (!std::all_of(families.begin(), families.end(), [](const auto* f) { return f->reference; })) continue;
    const auto first = [](const Family* f) { return f->configurations[*f->reference]; };
    const auto name = first(families[0]).name;
    if (families.size() < 2 || !std::all_of(families.begin(), families.end(), [&](const auto* f) {
          return first(f).name == name && first(f).test && of_data_or_split(f->parted_by[0].key);
        }))
      continue;
    std::vector<std::string> keys, figures;
    for (const auto& p : families[0]->parted_by) keys.push_back(p.key);
    double low = 1, high = 0;
    for (const auto* f : families) {
      const double mean = first(f).test->clip.mean;
      std::vector<std::string> values;
      for (const auto& p : f->parted_by) values.push_back(p.text);
      low = std::min(low, mean), high = std::max(high, mean);
      auto warnings = brief_stamps(a, *f);
      std::erase(warnings, "SYNTHETIC");
      figures.push_back(fmt::format("{} with {}{}", percent(mean), join(values),
                                    warnings.empty() ? "" : " (" + join(warnings) + ")"));
    }
    out.push_back(fmt::format(
        "{}: the same configuration{} under several {} gets {} of its test clips right, {} points from "
        "the lowest to the highest. This describes what they do to the figures; the clips are not the same, "
        "and "
        "nothing was chosen between them.",
        experiment, name.empty() ? "" : " (" + name + ")", listed(keys), listed(figures),
        fixed(100 * (high - low), 1)));
  }
}

void found_between(const Analysis& a, std::vector<std::string>& out) {
  constexpr std::size_t most_told = 6;
  std::vector<const Comparison*> open;
  std::int64_t excluded = 0, fewest = 0, most = 0;
  for (const auto& c : a.comparisons) {
    if (!c.not_compared.empty()) {
      ++excluded;
      continue;
    }
    if (c.verdict() == Verdict::undecided) {
      fewest = open.empty() ? c.clips : std::min(fewest, c.clips), most = std::max(most, c.clips);
      open.push_back(&c);
      continue;
    }
    const bool first = c.verdict() == Verdict::first;
    out.push_back(fmt::format("{} is better than {} on {} ({}).", a.families[first ? c.first : c.second].name,
                              a.families[first ? c.second : c.first].name, tested(c), [&] {
                                auto turned = c;
                                if (!first) {
                                  turned.difference.mean = -c.difference.mean;
                                  turned.difference.low = -c.difference.high,
                                  turned.difference.high = -c.difference.low;
                                }
                                return decided(turned);
                              }()));
  }
  if (open.size() > most_told)
    out.push_back(fmt::format(
        "The other {} cannot be distinguished by {} test clips; the table of differences shows what "
        "each could have found.",
        plural(std::int64_t(open.size()), "pair"),
        fewest == most ? grouped(most) : grouped(fewest) + " to " + grouped(most)));
  else
    for (const auto* c : open)
      out.push_back(fmt::format("{} and {} cannot be distinguished on {}: {} ({}).",
                                a.families[c->first].name, a.families[c->second].name, tested(*c),
                                points(c->difference.mean), undecided(*c, a.tests)));
  if (excluded > 0)
    out.push_back(fmt::format(
        "{} of models {} not compared, because the test clips or the kind of split or data are not the same.",
        plural(excluded, "pair"), excluded == 1 ? "is" : "are"));
}

void found_within(const Analysis& a, const Family& f, std::vector<std::string>& out) {
  if (!f.chosen || f.configurations.size() < 2) return;
  const auto& best = chosen(f);
  if (!f.reference) {
    out.push_back(
        fmt::format("{}: of {} configurations, {} is the best on validation ({}); there is no reference to "
                    "set it against.",
                    f.name, f.configurations.size(), best.name, plus_minus(best.val_clip)));
  } else if (f.chosen == f.reference) {
    out.push_back(
        fmt::format("{}: of {} configurations none is better on validation than the reference ({}).", f.name,
                    f.configurations.size(), best.name));
  } else if (best.difference.n > 0) {
    auto text =
        fmt::format("{}: of {} configurations, {} is the best on validation, {} against the reference ({})",
                    f.name, f.configurations.size(), best.name, points(best.difference.mean),
                    f.configurations[*f.reference].name);
    const auto& d = best.difference;
    if (!d.has_interval())
      text += fmt::format("; {} cannot show that it is more than chance",
                          d.repetitions < 2 ? "one repetition" : "two repetitions");
    else if (d.low > 0)
      text += fmt::format(
          "; the 95% interval over repetitions, {}, leaves out zero, but the best of many is chosen, which "
          "flatters it",
          point_range(d));
    else
      text += fmt::format("; the 95% interval over repetitions, {}, includes zero", point_range(d));
    out.push_back(text + ".");
  }
  if (const auto& c = f.against_reference) {
    const auto what =
        fmt::format("{}: on {}, {} minus the reference is {}", f.name, tested(*c),
                    f.nested ? "what each split chose" : "the chosen one", points(c->difference.mean));
    if (c->verdict() == Verdict::undecided)
      out.push_back(fmt::format("{}, which may be chance: {}.", what, undecided(*c, a.tests)));
    else
      out.push_back(fmt::format("{}: it is {} ({}).", what, verdict_text(*c), decided(*c)));
  }
  std::int64_t near = 0;
  for (std::size_t i = 0; i < f.configurations.size(); ++i)
    near += i != *f.chosen && f.configurations[i].val_clip.n > 0 && best.val_clip.has_interval() &&
            f.configurations[i].val_clip.mean >= best.val_clip.low;
  if (near > 0)
    out.push_back(fmt::format("{}: {} of the other {} lie{} within the interval of {} on validation.", f.name,
                              near, plural(std::int64_t(f.configurations.size()) - 1, "configuration"),
                              near == 1 ? "s" : "", best.name));
}

// How much clips that were heard in training raise the figures of the chosen configuration.
void found_of_leaks(const Analysis& a, const Family& f, std::vector<std::string>& out) {
  if (!f.chosen || !f.selected.test) return;
  std::vector<const RunSummary*> runs;
  for (const auto i : f.selected.runs) runs.push_back(&a.runs[i]);
  for (const auto& leak : attribute(runs)) out.push_back(sentence(leak, f.name) + ".");
}

void found_of_fit(const Family& f, std::vector<std::string>& out) {
  if (!f.chosen || std::isnan(f.selected.gap.mean)) return;
  const auto& c = f.selected;
  auto text = fmt::format(
      "{}: training accuracy is {} and validation accuracy {} (segments), a gap of {} points", f.name,
      percent(c.train_accuracy.mean), percent(c.val_segment.mean), fixed(100 * c.gap.mean, 1));
  if (!c.train_measured)
    text += " (training accuracy as the kept epoch ran, with dropout on: results of an earlier version)";
  if (f.reference && (f.nested || f.chosen != f.reference))
    if (const auto& r = f.configurations[*f.reference]; !std::isnan(r.gap.mean))
      text += fmt::format("; the reference's is {}", fixed(100 * r.gap.mean, 1));
  if (c.test) text += fmt::format("; the loss on the test part is {}", decimals(c.test->loss.mean));
  if (c.stopped_early > 0)
    text += fmt::format("; {} of {} stopped early", std::lround(c.stopped_early * double(c.scored)),
                        plural(c.scored, "run"));
  out.push_back(text + ".");
}

void found_of_calibration(const Family& f, std::vector<std::string>& out) {
  if (!f.detail || !f.selected.test) return;
  const auto& c = f.detail->clips;
  if (std::isnan(c.error) || std::isnan(c.null)) return;
  const double above = c.error - c.null;
  out.push_back(
      fmt::format("{}: the expected calibration error of its clips' probabilities is {}, where a perfectly "
                  "calibrated model would show {} on so few clips: {} {}; Brier score {} (means over runs).",
                  f.name, decimals(c.error), decimals(c.null), decimals(std::abs(above)),
                  above >= 0 ? "above it" : "below it", decimals(c.brier)));
}

}  // namespace

std::vector<std::string> findings(const Analysis& a) {
  std::vector<std::string> out;
  found_of_families(a, out);
  found_of_baselines(a, out);
  found_of_partings(a, out);
  found_between(a, out);
  for (const auto& f : a.families) found_within(a, f, out);
  for (const auto& f : a.families) found_of_leaks(a, f, out);
  for (const auto& f : a.families) found_of_fit(f, out), found_of_calibration(f, out);
  if (!a.wrong_families.empty() && a.tested_by_all > 0)
    out.push_back(fmt::format("Of the {} that {} tested on, {} {} taken wrong every time{}.",
                              plural(a.tested_by_all, "clip"),
                              a.wrong_families.size() == 1 ? "the model shown was" : "all models shown were",
                              a.wrong_clips.size(), a.wrong_clips.size() == 1 ? "was" : "were",
                              a.wrong_families.size() == 1 ? "" : " by every one of them"));
  for (const auto& f : a.families) {
    std::int64_t diverged = 0;
    for (const auto& c : f.configurations) diverged += c.diverged;
    if (diverged > 0)
      out.push_back(fmt::format("{}: {} diverged and could not be scored.", f.name, plural(diverged, "run")));
    if (f.chosen && f.chosen_diverged)
      out.push_back(fmt::format(
          "{}: every configuration has runs that diverged; the chosen one is no exception.", f.name));
    if (!f.chosen) out.push_back(fmt::format("{}: no run was scored.", f.name));
  }
  return out;
}

}  // namespace timbre::report
