// The block of data of the page. Shares are rounded to 4 decimals and losses to 5 digits: a curve needs no
// more.
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "core/text.hpp"
#include "evaluation/baselines/baselines.hpp"
#include "report/findings.hpp"
#include "report/page.hpp"
#include "report/sentences.hpp"
#include "report/settings.hpp"
#include "report/stamps.hpp"

namespace timbre::report {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::ptrdiff_t most_pairs = 50;  // of related clips, shown for one split

Json digits(double v, int n = 5) {
  return std::isfinite(v) ? Json(std::strtod(fmt::format("{:.{}g}", v, n).c_str(), nullptr)) : Json();
}
Json share(double v) { return std::isfinite(v) ? Json(std::round(v * 1e4) / 1e4) : Json(); }
/// As it is: a figure that a reader sees is rounded once (numbers.hpp).
Json number(double v) { return std::isfinite(v) ? Json(v) : Json(); }

template <class F>
Json list(const auto& items, F each) {
  auto out = Json::array();
  for (const auto& item : items) out.push_back(each(item));
  return out;
}

Json spread(const Spread& s, Json (*number)(double)) {
  Json out{{"n", s.n}, {"mean", number(s.mean)}};
  if (s.n > 1) out["sd"] = number(s.deviation), out["text"] = plus_minus(s);
  if (s.has_interval()) out["low"] = number(s.low), out["high"] = number(s.high);
  return out;
}
Json shares(const Spread& s) { return spread(s, number); }
Json figures(const Spread& s) {
  return spread(s, [](double v) { return digits(v); });
}

Json test_data(const TestFigures& t) {
  return {{"clip", shares(t.clip)},
          {"low", number(t.clips.low)},
          {"high", number(t.clips.high)},
          {"range", percent_range(t.clips.low, t.clips.high)},
          {"bootstrap", t.bootstrap},
          {"unit", t.unit},
          {"units", t.units},
          {"chance", number(t.chance)},
          {"clips", t.tested},
          {"answers", t.answers},
          {"segment", shares(t.segment)},
          {"loss", number(t.loss.mean)},
          {"macro_f1", shares(t.macro_f1)}};
}

Json comparison_data(const Comparison& c) {
  return {{"first_better", c.first_better},
          {"second_better", c.second_better},
          {"clips", c.clips},
          {"units", units_text(c.unit, c.units)},
          {"p", p_text(c.p_value)},
          {"adjusted", p_text(c.adjusted)},
          {"difference", shares(c.difference)},
          {"interval", interval_text(c.difference)},
          {"detectable", std::isnan(c.detectable) ? "none" : fixed(100 * std::min(1.0, c.detectable), 0)},
          {"verdict", verdict_text(c)}};
}

Json configuration_data(const Analysis& a, const Configuration& c, const Configuration& reference) {
  Json out{{"name", c.name},     {"values", c.values},     {"runs", c.runs},
           {"scored", c.scored}, {"diverged", c.diverged}, {"unfinished", c.unfinished}};
  out["clip"] = shares(c.val_clip), out["segment"] = shares(c.val_segment),
  out["macro_f1"] = shares(c.val_macro_f1);
  out["loss"] = figures(c.val_loss), out["train"] = shares(c.train_accuracy), out["gap"] = shares(c.gap);
  out["epochs"] = digits(c.epochs), out["best_epoch"] = digits(c.best_epoch),
  out["stopped"] = digits(c.stopped_early);
  out["seconds"] = digits(c.train_seconds), out["predict"] = digits(c.predict_seconds, 3);
  out["measured"] = c.train_measured;
  out["parameters"] = c.parameters, out["trainable"] = c.trainable_parameters;
  out["difference"] = shares(c.difference);
  if (c.test) out["test"] = test_data(*c.test);
  if (&c != &reference)
    out["set"] = overrides(a.runs[reference.runs[0]].settings, a.runs[c.runs[0]].settings);
  return out;
}

Json detail_data(const Detail& d) {
  const auto calibrated = [](const Detail::Calibrated& c) {
    auto bins = Json::array();
    for (const auto& b : c.bins)
      bins.push_back({digits(b.low, 4), digits(b.high, 4), b.count, share(b.confidence), share(b.accuracy)});
    return Json{
        {"bins", bins}, {"ece", number(c.error)}, {"null", number(c.null)}, {"brier", number(c.brier)}};
  };
  const auto column = [](const std::vector<double>& v) { return list(v, number); };
  return {{"confusion", d.confusion},
          {"precision", column(d.per_class.precision)},
          {"recall", column(d.per_class.recall)},
          {"f1", column(d.per_class.f1)},
          {"clips", calibrated(d.clips)},
          {"segments", calibrated(d.segments)}};
}

Json family_data(const Analysis& a, const Family& f) {
  // Commands need one to begin with, whether or not it is a reference.
  const auto& reference = f.configurations[f.reference.value_or(0)];
  Json out{{"name", f.name}, {"labels", f.label_names}, {"stamps", brief_stamps(a, f)}};
  out["axes"] = list(f.axes, [](const Axis& x) {
    return Json{{"key", x.key},
                {"name", x.name},
                {"texts", x.texts},
                {"effects", list(x.effects, [](const Effect& e) {
                   return Json{{"value", e.value},
                               {"pairs", e.pairs},
                               {"clip", shares(e.clip)},
                               {"clip_interval", interval_text(e.clip)},
                               {"loss", shares(e.loss)},
                               {"gap", shares(e.gap)},
                               {"gap_interval", interval_text(e.gap)}};
                 })}};
  });
  out["reference"] = f.reference ? Json(*f.reference) : Json();
  out["chosen"] = f.chosen ? Json(*f.chosen) : Json();
  out["configurations"] =
      list(f.configurations, [&](const Configuration& c) { return configuration_data(a, c, reference); });
  out["data"] = f.data, out["nested"] = f.nested;
  if (f.chosen) out["selected"] = configuration_data(a, f.selected, f.selected);
  if (f.nested)
    out["choices"] = list(f.choices, [&](const SplitChoice& c) {
      return Json{
          {"configuration", c.configuration}, {"repetition", a.runs[c.runs[0]].repetition}, {"runs", c.runs}};
    });
  out["baselines"] = list(f.baselines, [](const BaselineFigures& b) {
    return Json{{"name", baseline_name(b.name)},
                {"parameters", b.parameters},
                {"test", test_data(b.test)},
                {"tested", b.name == evaluation::tested_baseline},
                {"lead", comparison_data(b.lead)}};
  });
  if (f.detail) out["detail"] = detail_data(*f.detail);
  if (f.against_reference) out["against_reference"] = comparison_data(*f.against_reference);
  out["yaml"] = a.runs[reference.runs[0]].yaml;
  return out;
}

Json run_data(const RunSummary& r, const std::filesystem::path& folder) {
  std::error_code ignored;
  const auto relative =
      std::filesystem::relative(std::filesystem::absolute(r.file, ignored), folder, ignored);
  Json out{{"repetition", r.repetition}, {"status", r.status},
           {"best", r.best_epoch},       {"kept", r.weights_epoch},
           {"stopped", r.stopped_early}, {"file", (relative.empty() ? r.file : relative).generic_string()}};
  if (!r.message.empty()) out["message"] = r.message;
  const auto& h = r.history;
  out["accuracy"] = list(h.accuracy, share), out["val_accuracy"] = list(h.val_accuracy, share);
  const auto loss = [](double v) { return digits(v); };
  out["loss"] = list(h.loss, loss), out["val_loss"] = list(h.val_loss, loss);
  if (std::ranges::any_of(h.learning_rate, [&](double v) { return v != h.learning_rate.front(); }))
    out["learning_rate"] = list(h.learning_rate, loss);
  if (!h.gradient_norm.empty()) out["gradient_norm"] = list(h.gradient_norm, loss);
  return out;
}

// Splits and bad files, each that differs once, with the runs it belongs to.
Json split_data(const Analysis& a) {
  Json splits = Json::array();
  for (const auto& f : a.families)
    for (const auto& c : f.configurations)
      for (const auto i : c.runs) {
        const auto& r = a.runs[i];
        Json split{{"repetition", r.repetition},
                   {"stamps", brief_stamps(r)},
                   {"sizes", {r.train_segments, r.validation_segments, r.test_segments}},
                   {"clip_share", share(r.clip_share)},
                   {"artist_share", share(r.artist_share)},
                   {"related_share", share(r.related_share)},
                   {"related", list(std::vector(r.related.begin(),
                                                r.related.begin() + std::min<std::ptrdiff_t>(
                                                                        std::ssize(r.related), most_pairs)),
                                    [](const results::RelatedRecord& p) {
                                      return Json{p.clips.clip_a,
                                                  p.part_a,
                                                  p.clips.clip_b,
                                                  p.part_b,
                                                  p.clips.same_audio ? "same audio" : "near duplicate",
                                                  share(p.clips.error_rate),
                                                  digits(p.clips.offset_seconds, 4)};
                                    })},
                   {"pairs", r.related.size()},
                   {"notes", list(r.notes, [](const auto& n) {
                      return Json{n.first, n.second};
                    })}};
        const auto same = [&](const Json& s) { return s["split"] == split; };
        auto at = std::find_if(splits.begin(), splits.end(), same);
        if (at == splits.end())
          splits.push_back({{"split", split}, {"models", Json::array()}, {"runs", 0}}), at = splits.end() - 1;
        auto& models = (*at)["models"];
        if (std::find(models.begin(), models.end(), f.name) == models.end()) models.push_back(f.name);
        (*at)["runs"] = (*at)["runs"].get<int>() + 1;
      }
  return splits;
}

Json bad_files(const Analysis& a) {
  std::set<std::pair<std::string, std::string>> bad;
  for (const auto& r : a.runs)
    for (const auto& b : r.bad_files) bad.emplace(b.path, b.reason);
  return list(bad, [](const auto& b) { return Json{b.first, b.second}; });
}

// Each name with its values and how many runs had each.
Json environment_data(const Analysis& a) {
  std::vector<std::pair<std::string, std::map<std::string, int>>> values;
  const auto count = [&](const std::string& name, const std::string& value) {
    auto at = std::find_if(values.begin(), values.end(), [&](const auto& v) { return v.first == name; });
    if (at == values.end()) values.push_back({name, {}}), at = values.end() - 1;
    ++at->second[value];
  };
  for (const auto& r : a.runs) {
    count("timbre", r.version), count("device", r.device);
    for (const auto& [name, value] : r.environment) count(name, value);
  }
  return list(values, [](const auto& v) {
    return Json{v.first, list(v.second, [](const auto& n) { return Json{n.first, n.second}; })};
  });
}

}  // namespace

std::string page_data(const Analysis& a, const std::string& title, const Options& options,
                      const std::filesystem::path& folder) {
  Json data{
      {"title", title}, {"sentence", comparison_sentence(a, options)}, {"selection", selection_sentence(a)}};
  data["findings"] = findings(a);
  data["stamps"] = list(stamps(a), [](const results::Stamp& s) {
    return Json{{"name", s.name}, {"text", s.text}};
  });
  data["repetition"] = repetition_word(a);
  data["parting"] = parting_sentence(a), data["interval"] = interval_sentence(a);
  data["families"] = list(a.families, [&](const Family& f) { return family_data(a, f); });
  data["runs"] = list(a.runs, [&](const RunSummary& r) { return run_data(r, folder); });
  data["comparisons"] = list(a.comparisons, [](const Comparison& c) {
    Json out = c.not_compared.empty() ? comparison_data(c) : Json{{"not_compared", c.not_compared}};
    out["first"] = c.first, out["second"] = c.second;
    return out;
  });
  data["tests"] = a.tests, data["caption"] = test_caption(a), data["copies"] = a.copies;
  data["wrong"] = {{"families", a.wrong_families},
                   {"tested", a.tested_by_all},
                   {"clips", list(a.wrong_clips, [](const WrongClip& w) {
                      return Json{{"path", w.path}, {"label", w.label}, {"taken", w.taken_for}};
                    })}};
  data["splits"] = split_data(a);
  data["bad_files"] = bad_files(a);
  data["environment"] = environment_data(a);
  data["examples"] = list(options.examples, [](const Picture& p) {
    return Json{{"title", p.title}, {"alt", p.alt}, {"svg", p.svg}};
  });
  auto failed = options.failed;
  failed.insert(failed.end(), a.unreadable.begin(), a.unreadable.end());
  data["failed"] = list(failed, [](const Failure& f) {
    return Json{{"name", f.name}, {"message", f.message}};
  });
  data["command"] = options.command;
  std::string out;
  for (const char c : data.dump(-1, ' ', false, Json::error_handler_t::replace)) {
    if (c == '<')
      out += "\\u003c";
    else if (c == '>')
      out += "\\u003e";
    else if (c == '&')
      out += "\\u0026";
    else
      out += c;
  }
  return out;
}

}  // namespace timbre::report
