#include "report/findings.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <tuple>

#include "core/text.hpp"
#include "report/attribution.hpp"
#include "report/comparable.hpp"
#include "report/stamps.hpp"

namespace timbre::report {

std::string percent(double share) { return std::isnan(share) ? "–" : fmt::format("{:.1f}%", 100 * share); }
std::string points(double share) {
  return fmt::format("{}{:.1f} points", share < 0 ? "−" : "+", std::abs(100 * share));
}
std::string plural(std::int64_t n, const std::string& what) {
  return grouped(n) + " " + what + (n == 1 ? "" : "s");
}
std::string plus_minus(const Spread& s) {
  if (s.n < 2) return percent(s.mean);
  return fmt::format("{:.1f} ± {:.1f}%", 100 * s.mean, 100 * (s.high - s.mean));
}

std::string listed(const std::vector<std::string>& names) {
  if (names.size() < 2) return names.empty() ? "" : names[0];
  return join({names.begin(), names.end() - 1}) + " and " + names.back();
}

std::string full_name(const Family& f, const Configuration& c) {
  return c.name.empty() ? f.name : f.name + ": " + c.name;
}

namespace {

const Configuration& chosen(const Family& f) { return f.configurations[*f.chosen]; }

std::string range(double low, double high) { return fmt::format("{:.1f} to {:.1f}%", 100 * low, 100 * high); }
std::string point_range(const Spread& s) {
  return fmt::format("{} to {}", points(s.low).substr(0, points(s.low).find(' ')), points(s.high));
}

void found_of_families(const Analysis& a, std::vector<std::string>& out) {
  std::vector<const Family*> order;
  for (const auto& f : a.families)
    if (f.chosen && chosen(f).test) order.push_back(&f);
  if (order.empty()) return;
  std::stable_sort(order.begin(), order.end(), [](auto* x, auto* y) {
    return std::tuple(x->leaks, x->synthetic, -chosen(*x).test->clip.mean) <
           std::tuple(y->leaks, y->synthetic, -chosen(*y).test->clip.mean);
  });
  for (const auto* f : order) {
    const auto& t = *chosen(*f).test;
    auto text = fmt::format("{}{} gets {} of the test clips right (95% interval {} over {}", f->name,
                            f->configurations.size() > 1
                                ? fmt::format(" (the best of {} on validation)", f->configurations.size())
                                : "",
                            percent(t.clip.mean), range(t.clips.low, t.clips.high), plural(t.tested, "clip"));
    if (t.clip.n > 1)
      text += fmt::format("; seeds differ by a standard deviation of {:.1f} points", 100 * t.clip.deviation);
    text += ")";
    if (const double guess = 1.0 / double(std::max<std::size_t>(1, f->label_names.size()));
        t.clips.low <= guess)
      text += fmt::format("; this cannot be told from guessing ({})", percent(guess));
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
        "{}: the same configuration{} under several {} gets {} of its test clips right, {:.1f} points from "
        "the "
        "lowest to the highest. This describes what they do to the figures; the clips are not the same, and "
        "nothing was chosen between them.",
        experiment, name.empty() ? "" : " (" + name + ")", listed(keys), listed(figures),
        100 * (high - low)));
  }
}

void found_between(const Analysis& a, std::vector<std::string>& out) {
  std::vector<std::string> apart;
  std::int64_t compared = 0, clips = 0, excluded = 0;
  for (const auto& c : a.comparisons) {
    if (!c.not_compared.empty()) {
      ++excluded;
      continue;
    }
    ++compared, clips = std::max(clips, c.clips);
    if (c.adjusted >= 0.05) continue;
    const bool first = c.first_better > c.second_better;
    apart.push_back(fmt::format("{} is better than {} (exact test over {}, Holm's p = {:.2g})",
                                a.families[first ? c.first : c.second].name,
                                a.families[first ? c.second : c.first].name, plural(c.clips, "clip"),
                                c.adjusted));
  }
  for (const auto& text : apart) out.push_back(text + ".");
  if (compared > 0 && apart.empty())
    out.push_back(
        fmt::format("{} test clips cannot tell {} apart: no difference is larger than chance would make it "
                    "(exact test over "
                    "clips, Holm's correction, 5% level).",
                    grouped(clips), compared == 1 ? "the two" : "any two of them"));
  else if (compared > std::int64_t(apart.size()))
    out.push_back(fmt::format("The other {} cannot be told apart by {} test clips.",
                              plural(compared - std::int64_t(apart.size()), "pair"), grouped(clips)));
  if (excluded > 0)
    out.push_back(fmt::format(
        "{} of models {} not compared, because the test clips or the kind of split or data are not the same.",
        plural(excluded, "pair"), excluded == 1 ? "is" : "are"));
}

void found_within(const Family& f, std::vector<std::string>& out) {
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
    if (best.difference.n < 3 || best.difference.deviation == 0)
      text +=
          fmt::format("; {} cannot say whether that is more than chance", plural(best.difference.n, "seed"));
    else if (best.difference.low > 0)
      text += fmt::format(
          "; the 95% interval over seeds, {}, leaves out zero, but the best of many is chosen, which "
          "flatters it",
          point_range(best.difference));
    else
      text += fmt::format("; the 95% interval over seeds, {}, includes zero", point_range(best.difference));
    if (f.test_difference)
      text += fmt::format(". On the test clips it is {} ({} test, p = {:.2g})",
                          points(f.test_difference->mean), "exact", f.test_p);
    else if (best.test && f.configurations[*f.reference].test)
      text += ". They are not compared on the test, for they were not tested on the same clips";
    out.push_back(text + ".");
  }
  std::int64_t near = 0;
  for (std::size_t i = 0; i < f.configurations.size(); ++i)
    near += i != *f.chosen && f.configurations[i].val_clip.n > 0 && best.val_clip.n > 1 &&
            f.configurations[i].val_clip.mean >= best.val_clip.low;
  if (near > 0)
    out.push_back(fmt::format(
        "{}: {} of the other {} lie{} within the chosen one's interval on validation.", f.name, near,
        plural(std::int64_t(f.configurations.size()) - 1, "configuration"), near == 1 ? "s" : ""));
}

// What the clips that were heard in training are worth to the chosen configuration.
void found_of_leaks(const Analysis& a, const Family& f, std::vector<std::string>& out) {
  if (!f.chosen || !chosen(f).test) return;
  std::vector<const RunSummary*> runs;
  for (const auto i : chosen(f).runs) runs.push_back(&a.runs[i]);
  for (const auto& leak : attribute(runs)) out.push_back(sentence(leak, f.name) + ".");
}

void found_of_fit(const Family& f, std::vector<std::string>& out) {
  if (!f.chosen || std::isnan(chosen(f).gap.mean)) return;
  const auto& c = chosen(f);
  auto text = fmt::format(
      "{}: at the kept epoch training accuracy is {} and validation accuracy {} (segments), a gap of {:.1f} "
      "points",
      f.name, percent(c.train_accuracy.mean), percent(c.val_segment.mean), 100 * c.gap.mean);
  if (f.reference && f.chosen != f.reference)
    if (const auto& r = f.configurations[*f.reference]; !std::isnan(r.gap.mean))
      text += fmt::format("; the reference's is {:.1f}", 100 * r.gap.mean);
  if (c.stopped_early > 0)
    text += fmt::format("; {} of {} stopped early", std::lround(c.stopped_early * double(c.scored)),
                        plural(c.scored, "run"));
  out.push_back(text + ".");
}

}  // namespace

std::vector<std::string> findings(const Analysis& a) {
  std::vector<std::string> out;
  found_of_families(a, out);
  found_of_partings(a, out);
  found_between(a, out);
  for (const auto& f : a.families) found_within(f, out);
  for (const auto& f : a.families) found_of_leaks(a, f, out);
  for (const auto& f : a.families) found_of_fit(f, out);
  if (!a.wrong_families.empty() && a.tested_by_all > 0)
    out.push_back(fmt::format(
        "Of the {} that {} tested on, {} {} taken wrong every time{}.", plural(a.tested_by_all, "clip"),
        a.wrong_families.size() == 1 ? "the chosen model was" : "all chosen models were",
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
