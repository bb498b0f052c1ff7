#include "results/compare.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

namespace timbre::results {

namespace {

bool same(double a, double b) { return a == b || (std::isnan(a) && std::isnan(b)); }

/// How two sequences differ: the place of the first difference, the largest one, and the largest magnitude in
/// b.
struct Gap {
  std::size_t first = 0, count = 0;
  double largest = 0, magnitude = 0;
};
template <class T>
Gap gap_of(const std::vector<T>& a, const std::vector<T>& b) {
  Gap g;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const auto x = double(a[i]), y = double(b[i]);
    g.magnitude = std::max(g.magnitude, std::abs(y));
    if (same(x, y)) continue;
    if (g.count++ == 0) g.first = i;
    const double d = std::abs(x - y);
    g.largest = std::isnan(d) ? INFINITY : std::max(g.largest, d);
  }
  return g;
}

class Lines {
 public:
  template <class T>
  void value(const char* what, const T& a, const T& b) {
    if (a != b) out.push_back(fmt::format("{}: {} and {}", what, a, b));
  }
  /// False where there are not as many of both, which is a line.
  template <class T>
  bool as_many(const std::string& what, const std::vector<T>& a, const std::vector<T>& b) {
    if (a.size() != b.size()) out.push_back(fmt::format("{}: {} values and {}", what, a.size(), b.size()));
    return a.size() == b.size();
  }
  /// Values whose size matters.
  template <class T>
  void numbers(const std::string& what, const std::vector<T>& a, const std::vector<T>& b) {
    if (!as_many(what, a, b)) return;
    if (const auto g = gap_of(a, b); g.count > 0)
      out.push_back(fmt::format("{}, by at most {:.2g} of {:.2g}", what, g.largest, g.magnitude));
  }
  /// Numbers of things: how many are not the same.
  template <class T>
  void labels(const std::string& what, const std::vector<T>& a, const std::vector<T>& b) {
    if (!as_many(what, a, b)) return;
    std::size_t other = 0;
    for (std::size_t i = 0; i < a.size(); ++i) other += a[i] != b[i];
    if (other > 0) out.push_back(fmt::format("{}: {} of {} are others", what, other, a.size()));
  }
  std::vector<std::string> out;
};

void compare_history(const HistoryRecord& a, const HistoryRecord& b, Lines& lines) {
  if (!lines.as_many("history: epochs", a.epoch, b.epoch)) return;
  const auto column = [&](const char* name, const std::vector<double>& x, const std::vector<double>& y) {
    if (!lines.as_many(std::string("history: ") + name, x, y)) return;
    if (const auto g = gap_of(x, y); g.count > 0)
      lines.out.push_back(
          fmt::format("history: {}, from epoch {} on, by at most {:.2g}", name, a.epoch[g.first], g.largest));
  };
  for (const auto& c : training::history_columns)
    if (c.values != &training::History::seconds) column(c.name, a.*c.values, b.*c.values);
}

void compare_evaluation(const std::string& part, const std::optional<Evaluation>& a,
                        const std::optional<Evaluation>& b, Lines& lines) {
  if (a.has_value() != b.has_value()) lines.out.push_back(part + ": one of them has none");
  if (!a || !b) return;
  lines.labels(part + ": segments", a->segment, b->segment);
  lines.labels(part + ": true genres", a->label, b->label);
  lines.labels(part + ": clips", a->clips.path, b->clips.path);
  lines.numbers(part + ": probabilities", a->probabilities, b->probabilities);
  lines.labels(part + ": predictions of segments", a->prediction, b->prediction);
  lines.labels(part + ": predictions of clips", a->clips.prediction, b->clips.prediction);
  lines.numbers(part + ": loss", std::vector{a->loss}, std::vector{b->loss});
}

/// Only what both have: earlier versions wrote neither.
void compare_scores(const ScoresRecord& a, const ScoresRecord& b, Lines& lines) {
  if (a.train && b.train)
    lines.numbers("train: accuracy and loss",
                  std::vector{a.train->accuracy, a.train->loss, a.train->clip_accuracy},
                  std::vector{b.train->accuracy, b.train->loss, b.train->clip_accuracy});
  for (const auto& x : a.baselines)
    for (const auto& y : b.baselines)
      if (x.name == y.name)
        lines.numbers("baseline " + x.name + ": probabilities", x.probabilities, y.probabilities);
}

void compare_weights(const std::vector<WeightTensor>& a, const std::vector<WeightTensor>& b, Lines& lines) {
  if (!lines.as_many("weights: tensors", a, b)) return;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const auto name = fmt::format("weights: {}/{}", a[i].layer, a[i].name);
    if (a[i].layer != b[i].layer || a[i].name != b[i].name || !(a[i].shape == b[i].shape))
      lines.out.push_back(
          fmt::format("{} {} and {}/{} {}", name, a[i].shape.str(), b[i].layer, b[i].name, b[i].shape.str()));
    else
      lines.numbers(name, a[i].data, b[i].data);
  }
}

}  // namespace

std::vector<std::string> differences(const RunRecord& a, const RunRecord& b) {
  Lines lines;
  lines.value("status", a.status, b.status);
  lines.value("message", a.message, b.message);
  lines.value("epochs", a.epochs_run, b.epochs_run);
  lines.value("best epoch", a.best_epoch, b.best_epoch);
  lines.value("epoch of the weights", a.weights_epoch, b.weights_epoch);
  lines.value("parameters", a.parameters, b.parameters);
  lines.labels("genres", a.label_names, b.label_names);
  lines.labels("split: rows to train", a.split.train, b.split.train);
  lines.labels("split: rows to validate", a.split.validation, b.split.validation);
  lines.labels("split: rows to test", a.split.test, b.split.test);
  if (a.split.looked && b.split.looked)
    lines.value("split: related pairs", a.split.related.size(), b.split.related.size());
  lines.numbers("standardisation: means", a.feature_mean, b.feature_mean);
  lines.numbers("standardisation: deviations", a.feature_std, b.feature_std);
  compare_history(a.history, b.history, lines);
  compare_evaluation("validation", a.validation, b.validation, lines);
  compare_evaluation("test", a.test, b.test, lines);
  compare_scores(a.scores, b.scores, lines);
  if (!a.weights.empty() && !b.weights.empty()) compare_weights(a.weights, b.weights, lines);
  const auto names = [](const std::vector<data::BadFile>& files) {
    std::vector<std::string> out;
    for (const auto& f : files) out.push_back(f.path + ": " + f.reason);
    return out;
  };
  lines.labels("bad files", names(a.bad_files), names(b.bad_files));
  return lines.out;
}

std::vector<std::string> environment_differences(const RunRecord& a, const RunRecord& b) {
  Lines lines;
  lines.value("version", a.version, b.version);
  lines.value("device", a.device, b.device);
  const std::map<std::string, std::string> first(a.environment.begin(), a.environment.end()),
      second(b.environment.begin(), b.environment.end());
  std::set<std::string> keys;
  for (const auto* of : {&first, &second})
    for (const auto& [key, value] : *of) keys.insert(key);
  const auto in = [](const auto& map, const std::string& key) {
    const auto found = map.find(key);
    return found == map.end() ? std::string("nothing") : found->second;
  };
  for (const auto& key : keys) lines.value(key.c_str(), in(first, key), in(second, key));
  return lines.out;
}

}  // namespace timbre::results
