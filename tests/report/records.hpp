// Made-up results whose figures a person can work out: one segment per clip.
#pragma once

#include <fmt/format.h>

#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "report/report.hpp"
#include "results/run_record.hpp"
#include "storage/temporary_folder.hpp"

namespace timbre::report {

struct Made {
  std::string experiment = "mlp";
  int seed = 0;
  std::string l2 = "0", dropout = "null", early = "null";
  int validation_right = 5, test_right = 5;  // of ten clips
  int epochs = 4;
  int first_test_clip = 0;  // clips of the test part: genre/clip<first>, ...
  int classes = 2;
  double val_loss_shift = 0;
  std::string group_by = "clip";
  int first_validation_clip = 100;
  bool leaks = false, synthetic = false;
};

inline std::string config_of(const Made& m) {
  return fmt::format(
      "experiment: {}\nseed: {}\ndataset:\n  path: /music/{}\n  segment_seconds: 3\nsplit: {{group_by: {}, "
      "folds: null, fold: 0, seed: null}}\n"
      "model:\n  - flatten: {{}}\n  - dropout: {{rate: {}}}\n  - dense: {{units: 2, activation: softmax}}\n"
      "regularisation: {{l1: 0, l2: {}, dropout: {}}}\ntraining:\n  epochs: {}\n  optimizer:\n    adam: "
      "{{learning_rate: 0.001}}\n"
      "  early_stopping: {}\ndevice: auto\n",
      m.experiment, m.seed, m.seed, m.group_by, m.dropout == "null" ? "0.3" : m.dropout, m.l2, m.dropout,
      m.epochs, m.early);
}

/// Ten clips, of which the first `right` are taken for what they are.
inline results::Evaluation ten_clips(int right, int classes, int first, double shift) {
  std::vector<float> p;
  std::vector<std::int32_t> label, clip, segment;
  std::vector<std::string> paths;
  for (int i = 0; i < 10; ++i) {
    const int truth = i % 2, taken = i < right ? truth : 1 - truth;
    for (int c = 0; c < classes; ++c)
      p.push_back(c == taken ? 0.75f - float(shift) : (0.25f + float(shift)) / float(classes - 1));
    label.push_back(truth), clip.push_back(i), segment.push_back(0);
    paths.push_back(fmt::format("genre{}/clip{:02}.wav", truth, first + i));
  }
  return results::evaluate(p, label, clip, segment, paths);
}

inline results::RunRecord made(const Made& m) {
  results::RunRecord r;
  r.experiment = m.experiment, r.seed = m.seed, r.config = config_of(m), r.version = "0.1.0";
  r.key =
      fmt::format("{}-{}-{}-{}-{}-{}{}{}", m.experiment, m.seed, m.l2, m.dropout, m.early, m.first_test_clip,
                  m.group_by == "clip" ? "" : "-" + m.group_by, m.synthetic ? "-synthetic" : "");
  for (int c = 0; c < m.classes; ++c) r.label_names.push_back(fmt::format("genre{}", c));
  r.epochs_run = m.epochs, r.best_epoch = r.weights_epoch = m.epochs > 1 ? m.epochs - 1 : m.epochs;
  r.stopped_early = true;
  r.parameters = r.trainable_parameters = 1234;
  r.train_seconds = 8, r.predict_seconds = 0.5;
  r.environment = {{"cpu", "A CPU"}, {"threads", "2"}};
  for (int e = 1; e <= m.epochs; ++e) {
    r.history.epoch.push_back(e);
    r.history.loss.push_back(2.0 / e + 0.013 * m.seed), r.history.accuracy.push_back(1 - 0.5 / e);
    r.history.val_loss.push_back(2.5 / e + 0.017 * m.seed), r.history.val_accuracy.push_back(0.9 - 0.5 / e);
    r.history.learning_rate.push_back(1e-3), r.history.seconds.push_back(2);
  }
  for (int i = 0; i < 10; ++i)
    r.split.train.push_back(i), r.split.validation.push_back(10 + i),
        r.split.test.push_back(20 + m.first_test_clip + i);
  r.split.leaks = m.leaks, r.split.clip_share_in_train = m.leaks ? 1 : 0, r.synthetic = m.synthetic;
  r.validation = ten_clips(m.validation_right, m.classes, m.first_validation_clip, m.val_loss_shift);
  r.test = ten_clips(m.test_right, m.classes, m.first_test_clip, 0);
  return r;
}

/// A folder of results.
class Results {
 public:
  std::filesystem::path add(const results::RunRecord& r) {
    const auto file = *folder_ / fmt::format("run{:04}.h5", files_.size());
    results::write_result(file, r);
    files_.push_back(file);
    return file;
  }
  std::filesystem::path add(const Made& m) { return add(made(m)); }
  const std::vector<std::filesystem::path>& files() const { return files_; }
  std::filesystem::path page() const { return *folder_ / "report.html"; }
  std::filesystem::path operator/(const std::string& name) const { return *folder_ / name; }
  Written write(const Options& options = {}) const { return write_report(files_, page(), options); }
  std::string html() const { return test::bytes_of(*folder_ / "report.html"); }
  std::string csv() const { return test::bytes_of(*folder_ / "report.csv"); }
  std::string markdown() const { return test::bytes_of(*folder_ / "report.md"); }

 private:
  std::unique_ptr<test::TemporaryFolder> folder_ = std::make_unique<test::TemporaryFolder>();
  std::vector<std::filesystem::path> files_;
};

using Json = nlohmann::json;

/// The data of a page.
inline Json data_of(const std::string& html) {
  const std::string open = "<script type=\"application/json\" id=\"data\">";
  const auto at = html.find(open) + open.size();
  return Json::parse(html.substr(at, html.find("</script>", at) - at));
}

// A sweep of two axes by three seeds, whose best configuration on validation is l2 0.1, dropout 0.2.
inline Results sweep() {
  Results r;
  for (const int seed : {0, 1, 2})
    for (const std::string l2 : {"0", "0.01", "0.1"})
      for (const std::string dropout : {"null", "0.2"}) {
        const bool best = l2 == "0.1" && dropout == "0.2", first = l2 == "0" && dropout == "null";
        r.add({.seed = seed,
               .l2 = l2,
               .dropout = dropout,
               .validation_right = best    ? 8
                                   : first ? 6
                                           : 5,
               .test_right = best    ? 7
                             : first ? 6
                                     : 9,
               .first_test_clip = 2 * seed});
      }
  return r;
}

inline bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace timbre::report
