#include "report/tables.hpp"

#include <algorithm>
#include <cmath>
#include <ranges>

#include "core/text.hpp"
#include "evaluation/baselines/baselines.hpp"
#include "report/findings.hpp"
#include "report/sentences.hpp"
#include "report/stamps.hpp"
#include "results/csv.hpp"

namespace timbre::report {
namespace {

using Row = std::vector<std::string>;

using results::csv_cell;

// Six digits: more are noise, and a person reads the file too.
std::string figure(double v) { return std::isnan(v) ? "" : fmt::format("{:.6g}", v); }

// Text in a cell or a line of Markdown, as text: what means something in Markdown or HTML is escaped.
std::string plain(const std::string& text) {
  std::string out;
  for (const char c : printable(text)) {
    if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else if (c == '&')
      out += "&amp;";
    else if (std::string_view("|\\`*_[]#~").find(c) != std::string_view::npos)
      out += std::string("\\") + c;
    else
      out += c;
  }
  return out;
}

std::string table(const Row& head, const std::vector<Row>& rows, std::size_t left) {
  const auto line = [](const Row& cells) { return "| " + join(cells, " | ") + " |\n"; };
  Row rule;
  for (std::size_t i = 0; i < head.size(); ++i) rule.push_back(i < left ? "---" : "---:");
  auto out = line(head) + line(rule);
  for (const auto& r : rows) out += line(r);
  return out + "\n";
}

std::string stamps_of(const Analysis& a, const Family& f) {
  std::string out;
  for (const auto& stamp : brief_stamps(a, f)) out += " **" + stamp + "**";
  return out;
}

/// The selected first, then the reference where it is another.
std::vector<const Configuration*> shown(const Family& f) {
  std::vector<const Configuration*> out;
  if (f.chosen) out.push_back(&f.selected);
  if (f.reference && (f.nested || f.chosen != f.reference)) out.push_back(&f.configurations[*f.reference]);
  return out;
}

bool data_differ(const Analysis& a) {
  return std::any_of(a.families.begin(), a.families.end(),
                     [&](const Family& f) { return f.data != a.families[0].data; });
}

/// A comparison's cells from its difference on.
Row difference_cells(const Comparison& c) {
  return {points(c.difference.mean),
          interval_text(c.difference),
          fmt::format("{} : {} of {}", c.first_better, c.second_better, units_text(c.unit, c.units)),
          p_text(c.adjusted),
          std::isnan(c.detectable) ? "none" : fixed(100 * std::min(1.0, c.detectable), 0) + " points",
          verdict_text(c)};
}
const Row difference_heads{"difference",      "95% over repetitions", "units for either",
                           "p (signs, Holm)", "smallest detectable",  "verdict"};

std::string per_prediction(double seconds) {
  return std::isnan(seconds) ? "–" : fmt::format("{:.3g} ms", 1000 * seconds);
}

}  // namespace

std::string csv_table(const Analysis& a) {
  std::vector<std::string> axes;
  const auto add = [&](const std::string& key) {
    if (std::find(axes.begin(), axes.end(), key) == axes.end()) axes.push_back(key);
  };
  for (const auto& f : a.families) {
    for (const auto& p : f.parted_by) add(p.key);
    for (const auto& axis : f.axes) add(axis.key);
  }
  Row head{"model", "configuration", "data"};
  head.insert(head.end(), axes.begin(), axes.end());
  for (const auto* name : {"chosen",
                           "reference",
                           "synthetic",
                           "leaks",
                           "not_ranked_with",
                           "runs",
                           "scored",
                           "diverged",
                           "validation_clip_accuracy",
                           "validation_clip_sd",
                           "validation_clip_low",
                           "validation_clip_high",
                           "interval_over_seeds",
                           "validation_minus_reference",
                           "validation_minus_reference_low",
                           "validation_minus_reference_high",
                           "validation_segment_accuracy",
                           "validation_macro_f1",
                           "validation_loss",
                           "train_accuracy",
                           "gap",
                           "epochs_run",
                           "best_epoch",
                           "parameters",
                           "trainable_parameters",
                           "train_seconds",
                           "seconds_per_prediction",
                           "test_clip_accuracy",
                           "test_clip_over_clips_low",
                           "test_clip_over_clips_high",
                           "test_clip_sd",
                           "test_clip_over_seeds_low",
                           "test_clip_over_seeds_high",
                           "test_segment_accuracy",
                           "test_macro_f1",
                           "test_clips",
                           "test_units",
                           "test_chance",
                           "chosen_in_splits",
                           "tested_accuracy",
                           "tested_low",
                           "tested_high",
                           "logistic_accuracy",
                           "nearest_mean_accuracy",
                           "majority_accuracy",
                           "artist_share_least",
                           "artist_share_most"})
    head.push_back(name);
  std::string out;
  const auto line = [&](const Row& cells) {
    for (std::size_t i = 0; i < cells.size(); ++i) out += (i ? "," : "") + csv_cell(cells[i]);
    out += "\n";
  };
  line(head);
  for (const auto& f : a.families)
    for (std::size_t i = 0; i < f.configurations.size(); ++i) {
      const auto& c = f.configurations[i];
      Row row{f.name, c.name, f.data};
      for (const auto& key : axes) {
        row.emplace_back();
        for (const auto& p : f.parted_by)
          if (p.key == key) row.back() = p.text;
        for (std::size_t x = 0; x < f.axes.size(); ++x)
          if (f.axes[x].key == key) row.back() = f.axes[x].texts[c.values[x]];
      }
      const auto flag = [](bool b) { return std::string(b ? "1" : "0"); };
      row.insert(row.end(),
                 {flag(f.chosen == i), flag(f.reference == i), flag(f.synthetic), flag(f.leaks), f.apart,
                  std::to_string(c.runs.size()), std::to_string(c.scored), std::to_string(c.diverged)});
      for (const double v : {c.val_clip.mean, c.val_clip.deviation, c.val_clip.low, c.val_clip.high})
        row.push_back(figure(v));
      row.push_back(!c.val_clip.has_interval() ? "" : c.val_clip.corrected ? "corrected resampled t" : "t");
      for (const double v :
           {c.difference.mean, c.difference.low, c.difference.high, c.val_segment.mean, c.val_macro_f1.mean,
            c.val_loss.mean, c.train_accuracy.mean, c.gap.mean, c.epochs, c.best_epoch})
        row.push_back(figure(v));
      row.insert(row.end(), {std::to_string(c.parameters), std::to_string(c.trainable_parameters),
                             figure(c.train_seconds), figure(c.predict_seconds)});
      if (c.test) {
        const auto& t = *c.test;
        for (const double v : {t.clip.mean, t.clips.low, t.clips.high, t.clip.deviation, t.clip.low,
                               t.clip.high, t.segment.mean, t.macro_f1.mean})
          row.push_back(figure(v));
        row.insert(row.end(), {std::to_string(t.tested), std::to_string(t.units), figure(t.chance)});
      } else {
        row.insert(row.end(), 11, "");
      }
      // The row of the chosen covers what was selected, split by split where each chose for itself, and the baselines.
      std::int64_t splits = 0;
      for (const auto& choice : f.choices) splits += choice.configuration == i;
      row.push_back(f.nested ? fmt::format("{}/{}", splits, f.choices.size()) : "");
      if (f.chosen == i && f.selected.test) {
        const auto& t = *f.selected.test;
        for (const double v : {t.clip.mean, t.clips.low, t.clips.high}) row.push_back(figure(v));
        for (const std::string name : std::views::reverse(evaluation::baseline_names)) {
          row.emplace_back();
          for (const auto& b : f.baselines)
            if (b.name == name) row.back() = figure(b.test.clip.mean);
        }
      } else {
        row.insert(row.end(), 6, "");
      }
      const auto artists = artist_share(a, f);
      row.insert(row.end(), {figure(artists.least), figure(artists.most)});
      line(row);
    }
  return out;
}

std::string markdown_report(const Analysis& a, const std::string& title, const Options& options) {
  auto out = "# " + plain(title) + "\n\n" + plain(comparison_sentence(a, options)) + "\n\n";
  for (const auto& s : stamps(a)) out += "**" + s.name + "**: " + plain(s.text) + "\n\n";
  out += "## Test figures\n\n";
  std::vector<Row> rows;
  const bool data = data_differ(a);
  for (const auto& f : a.families)
    for (const auto* c : shown(f)) {
      const bool selected = c == &f.selected;
      Row row{plain(full_name(f, *c)) + stamps_of(a, f) + (selected ? "" : " (reference)")};
      if (data) row.push_back(plain(f.data));
      if (const auto& t = c->test)
        row.insert(row.end(), {percent(t->clip.mean), percent_range(t->clips.low, t->clips.high),
                               t->clip.n > 1 ? plus_minus(t->clip) : "–", percent(t->segment.mean),
                               decimals(t->macro_f1.mean)});
      else
        row.insert(row.end(), 5, "–");
      row.insert(row.end(), {grouped(c->parameters), c->scored ? duration_text(c->train_seconds) : "–",
                             per_prediction(c->predict_seconds), std::to_string(c->scored)});
      rows.push_back(row);
    }
  Row heads{"model"};
  if (data) heads.push_back("data");
  const auto repetitions = repetition_word(a) + "s";
  heads.insert(heads.end(),
               {"clip accuracy", "95% over clips", "over " + repetitions + " (95%, t)", "segment accuracy",
                "macro F1", "parameters", "training", "per prediction", repetitions});
  out += table(heads, rows, data ? 2 : 1);
  rows.clear();
  for (const auto& f : a.families)
    for (const auto& b : f.baselines) {
      Row row{plain(f.name) + stamps_of(a, f), baseline_name(b.name),
              percent(b.test.clip.mean),       percent_range(b.test.clips.low, b.test.clips.high),
              percent(b.test.segment.mean),    grouped(b.parameters)};
      auto cells = difference_cells(b.lead);
      if (b.name != evaluation::tested_baseline) cells[3] = cells[5] = "–";  // described, not tested
      row.insert(row.end(), cells.begin(), cells.end());
      rows.push_back(row);
    }
  if (!rows.empty()) {
    Row baseline_heads{"model",          "baseline",         "clip accuracy",
                       "95% over clips", "segment accuracy", "parameters"};
    baseline_heads.insert(baseline_heads.end(), difference_heads.begin(), difference_heads.end());
    out += "### Baselines, on the same test clips\n\n" + table(baseline_heads, rows, 2);
  }
  out += plain(selection_sentence(a)) + "\n\n";
  for (const auto& text : {parting_sentence(a), interval_sentence(a)})
    if (!text.empty()) out += plain(text) + "\n\n";
  out += "## What was found\n\n";
  for (const auto& text : findings(a)) out += "- " + plain(text) + "\n";
  out += "\n## All configurations, on validation\n\n";
  rows.clear();
  for (const auto& f : a.families)
    for (std::size_t i = 0; i < f.configurations.size(); ++i) {
      const auto& c = f.configurations[i];
      rows.push_back(
          {plain(full_name(f, c)) + stamps_of(a, f) + (f.chosen == i ? " (chosen)" : ""),
           plus_minus(c.val_clip), percent(c.val_segment.mean), decimals(c.val_macro_f1.mean),
           decimals(c.val_loss.mean), percent(c.gap.mean),
           std::isnan(c.epochs) ? "–" : fmt::format("{:.1f}", c.epochs),
           fmt::format("{}{}", c.scored, c.diverged ? fmt::format(" ({} diverged)", c.diverged) : "")});
    }
  out += table({"configuration", "clip accuracy", "segment accuracy", "macro F1", "loss", "gap", "epochs",
                repetitions},
               rows, 1);
  rows.clear();
  for (const auto& c : a.comparisons) {
    Row row{plain(a.families[c.first].name), plain(a.families[c.second].name)};
    auto cells = c.not_compared.empty() ? difference_cells(c) : Row(6, "");
    if (!c.not_compared.empty()) cells.back() = "not compared: " + c.not_compared;
    row.insert(row.end(), cells.begin(), cells.end());
    rows.push_back(row);
  }
  for (const auto& f : a.families)
    if (f.against_reference) {
      Row row{plain(full_name(f, f.selected)), plain("reference: " + f.configurations[*f.reference].name)};
      const auto cells = difference_cells(*f.against_reference);
      row.insert(row.end(), cells.begin(), cells.end());
      rows.push_back(row);
    }
  if (!rows.empty()) {
    Row names{"first", "second"};
    names.insert(names.end(), difference_heads.begin(), difference_heads.end());
    out += "## Differences on the test clips (first minus second)\n\n" + table(names, rows, 2);
  }
  std::string without;
  for (const auto& file : a.copies)
    without += "- " + plain(file) + ": the same run as another one here; counted once\n";
  for (const auto* failures : {&options.failed, &a.unreadable})
    for (const auto& f : *failures) without += "- " + plain(f.name) + ": " + plain(f.message) + "\n";
  for (const auto& f : a.families)
    for (const auto& c : f.configurations)
      for (const auto i : c.runs)
        if (const auto& r = a.runs[i]; !r.scored())
          without += "- " +
                     plain(fmt::format("{}, seed {}: {}{}{}", full_name(f, c), r.repetition, r.status,
                                       r.message.empty() ? "" : ": ", r.message)) +
                     "\n";
  if (!without.empty()) out += "## Runs without figures\n\n" + without + "\n";
  if (!options.command.empty()) out += "Made again by\n\n    " + printable(options.command) + "\n";
  return out;
}

}  // namespace timbre::report
