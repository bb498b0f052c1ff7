#include "results/scores_record.hpp"

#include "core/error.hpp"
#include "core/text.hpp"
#include "evaluation/aggregate.hpp"
#include "evaluation/baselines/baselines.hpp"
#include "evaluation/metrics.hpp"
#include "results/run_record.hpp"

namespace timbre::results {
namespace {

using storage::H5File;

struct TrainFigure {
  const char* name;
  double TrainRecord::*member;
};
constexpr TrainFigure train_figures[] = {{"accuracy", &TrainRecord::accuracy},
                                         {"loss", &TrainRecord::loss},
                                         {"macro_f1", &TrainRecord::macro_f1},
                                         {"clip_accuracy", &TrainRecord::clip_accuracy},
                                         {"clip_macro_f1", &TrainRecord::clip_macro_f1}};

}  // namespace

TrainRecord train_record(const Evaluation& e) {
  return {e.accuracy, e.loss, e.macro_f1, e.clips.accuracy, e.clips.macro_f1};
}

BaselineRecord baseline_record(evaluation::Baseline baseline, const Evaluation& test) {
  const auto& probabilities = baseline.probabilities;
  const auto clips = evaluation::aggregate_clips(probabilities, test.classes(), test.label, test.clip);
  const double accuracy =
      evaluation::accuracy(test.label, evaluation::predicted_classes(probabilities, test.classes()));
  return {std::move(baseline), accuracy, clips.accuracy};
}

void write_scores(H5File& file, const ScoresRecord& scores, std::int64_t classes) {
  if (scores.train) {
    file.group("/train");
    for (const auto& f : train_figures) file.attribute("/train", f.name, (*scores.train).*f.member);
  }
  if (!scores.baselines.empty()) file.group("/baselines");
  for (const auto& b : scores.baselines) {
    const auto group = "/baselines/" + b.name;
    file.group(group);
    file.write(group + "/probabilities", b.probabilities,
               {static_cast<std::int64_t>(b.probabilities.size()) / classes, classes});
    file.attribute(group, "accuracy", b.accuracy);
    file.attribute(group, "clip_accuracy", b.clip_accuracy);
    file.attribute(group, "parameters", b.parameters);
    if (b.name != evaluation::tested_baseline) continue;
    file.attribute(group, "penalty", b.penalty);
    file.attribute(group, "iterations", b.iterations);
    file.attribute(group, "converged", b.converged);
  }
  std::vector<std::string> by, why;
  for (const auto& look : scores.looks) by.push_back(look.by), why.push_back(look.why);
  file.write_texts("/ledger/by", by);
  file.write_texts("/ledger/why", why);
  file.attribute("/ledger", "looks", static_cast<std::int64_t>(by.size()));
}

ScoresRecord read_scores(const H5File& file, std::int64_t rows, std::int64_t classes) {
  ScoresRecord out;
  const auto damaged = [&](const std::string& object, const std::string& what) {
    fail("{}: is damaged: {} {}", printable(file.path().string()), object, what);
  };
  if (file.exists("/train")) {
    out.train.emplace();
    for (const auto& f : train_figures) (*out.train).*f.member = file.double_attribute("/train", f.name);
  }
  for (const std::string name : evaluation::baseline_names) {
    const auto group = "/baselines/" + name;
    if (!file.exists("/baselines") || !file.exists(group)) continue;
    BaselineRecord b;
    b.name = name;
    if (rows < 1 || !(file.shape(group + "/probabilities") == Shape{rows, classes}))
      damaged(group + "/probabilities", "does not fit the rows of the test part");
    b.probabilities = file.read_floats(group + "/probabilities");
    b.accuracy = file.double_attribute(group, "accuracy");
    b.clip_accuracy = file.double_attribute(group, "clip_accuracy");
    if (file.has_attribute(group, "parameters")) b.parameters = file.int_attribute(group, "parameters");
    if (file.has_attribute(group, "penalty")) b.penalty = file.double_attribute(group, "penalty");
    if (file.has_attribute(group, "iterations")) b.iterations = file.int_attribute(group, "iterations");
    if (file.has_attribute(group, "converged")) b.converged = file.int_attribute(group, "converged") != 0;
    out.baselines.push_back(std::move(b));
  }
  if (file.exists("/ledger")) {
    const auto by = file.read_texts("/ledger/by"), why = file.read_texts("/ledger/why");
    if (by.size() != why.size()) damaged("/ledger/why", "has another length than the arrays it belongs to");
    for (std::size_t i = 0; i < by.size(); ++i) out.looks.push_back({by[i], why[i]});
  }
  return out;
}

}  // namespace timbre::results
