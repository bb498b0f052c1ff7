#include "results/describe.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "core/error.hpp"
#include "core/text.hpp"
#include "evaluation/calibration.hpp"
#include "evaluation/statistics.hpp"
#include "results/text_table.hpp"
#include "storage/hdf5.hpp"

namespace timbre::results {
namespace {

std::string percent(double share) { return std::isnan(share) ? "?" : fmt::format("{:.1f}%", 100 * share); }
std::string decimals(double value) { return std::isnan(value) ? "-" : fmt::format("{:.3f}", value); }
std::string count(std::int64_t n, std::string_view what) {
  return fmt::format("{} {}{}", grouped(n), what, n == 1 ? "" : "s");
}
std::int64_t size_of(const auto& v) { return static_cast<std::int64_t>(v.size()); }

std::int64_t hits(const std::vector<std::int32_t>& label, const std::vector<std::int32_t>& prediction) {
  std::int64_t n = 0;
  for (std::size_t i = 0; i < label.size(); ++i) n += label[i] == prediction[i];
  return n;
}

std::string figures(const Evaluation& e, bool headline) {
  const auto right = hits(e.clips.label, e.clips.prediction), clips = size_of(e.clips.label);
  const auto interval = evaluation::wilson_interval(right, clips);
  auto out = fmt::format("  {:<18}{:>6}   {} of {}", headline ? "clip accuracy" : "validation, clips",
                         percent(e.clips.accuracy), right, count(clips, "clip"));
  if (headline)
    out += fmt::format(", 95% interval {:.1f} to {:.1f}%", 100 * interval.low, 100 * interval.high);
  out += fmt::format(", macro F1 {}\n", decimals(e.clips.macro_f1));
  out += fmt::format("  {:<18}{:>6}   {} of {}, macro F1 {}, loss {}\n",
                     headline ? "segment accuracy" : "  segments", percent(e.accuracy),
                     hits(e.label, e.prediction), count(e.rows(), "segment"), decimals(e.macro_f1),
                     decimals(e.loss));
  return out;
}

std::string headline(const RunRecord& r) {
  auto out = fmt::format("{}, seed {}: {}", printable(r.experiment), r.seed, printable(r.status));
  if (!r.device.empty()) out += " on " + printable(r.device);
  if (!r.message.empty()) out += ": " + printable(r.message);
  out += "\n" + stamps(r);
  if (r.test)
    out += figures(*r.test, true);
  else
    out += r.status == "finished" && r.validation
               ? "  the test part is sealed: a study scores what it has chosen on validation\n"
               : "  not scored on the test part\n";
  if (r.validation) out += figures(*r.validation, false);
  if (const auto& t = r.scores.train)
    out += fmt::format("  {:<18}{:>6}   of the clips; segments {}, loss {} (kept weights, dropout off)\n",
                       "training part", percent(t->clip_accuracy), percent(t->accuracy), decimals(t->loss));
  for (const auto& b : r.scores.baselines)
    out += fmt::format("  {:<18}{:>6}   of the test clips; segments {}{}\n", b.name, percent(b.clip_accuracy),
                       percent(b.accuracy), b.converged ? "" : "; ended before it converged");
  if (r.test) {
    const auto& clips = r.test->clips;
    const auto c = evaluation::calibration(clips.probabilities, r.test->classes(), clips.label);
    out += fmt::format(
        "  {:<18}{:>6}   expected calibration error of clip probabilities; {} if they were calibrated; Brier "
        "score {}\n",
        "calibration", decimals(c.reliability.expected_error), decimals(c.null_error), decimals(c.brier));
  }
  if (const auto looks = r.scores.looks.size(); looks > 0)
    out += fmt::format("  {:<18}{:>6}   last by {}: {}\n", "looks at the test", looks,
                       printable(r.scores.looks.back().by), printable(r.scores.looks.back().why));
  out += fmt::format("  {:<18}{:>6}   ", "epochs", r.epochs_run);
  if (r.best_epoch > 0) out += fmt::format("best {}, ", r.best_epoch);
  if (r.weights_epoch > 0) out += fmt::format("weights of epoch {}, ", r.weights_epoch);
  if (r.stopped_early) out += "stopped early, ";
  out += fmt::format("trained in {}, predicted in {}\n", duration_text(r.train_seconds),
                     duration_text(r.predict_seconds));
  out += fmt::format("  {:<18}{}", "parameters", grouped(r.parameters));
  if (r.trainable_parameters > 0 && r.trainable_parameters != r.parameters)
    out += fmt::format(" ({} trainable)", grouped(r.trainable_parameters));
  return out + "\n";
}

/// The first and last epochs, the best one, and a few between.
std::set<std::size_t> shown_epochs(const RunRecord& r, bool all) {
  const auto n = r.history.epoch.size();
  std::set<std::size_t> rows;
  constexpr std::size_t few = 9;
  for (std::size_t i = 0; i < n; ++i)
    if (all || n <= few + 3) rows.insert(i);
  for (std::size_t i = 0; n > 0 && i <= few; ++i) rows.insert(i * (n - 1) / few);
  for (std::size_t i = 0; i < n; ++i)
    if (r.history.epoch[i] == r.best_epoch) rows.insert(i);
  return rows;
}

std::string history(const RunRecord& r, bool all) {
  const auto& h = r.history;
  std::vector<std::string> head{"epoch"};
  for (const auto& c : training::history_columns)
    if (c.is_in(h)) head.emplace_back(c.name);
  head.emplace_back();
  TextTable table(head);
  for (const auto i : shown_epochs(r, all)) {
    std::vector<std::string> row{std::to_string(h.epoch[i])};
    for (const auto& c : training::history_columns)
      if (c.is_in(h))
        row.push_back(fmt::format(fmt::runtime(c.values == &training::History::learning_rate ? "{:.3g}"
                                               : c.values == &training::History::seconds     ? "{:.1f}"
                                                                                             : "{:.4f}"),
                                  (h.*c.values)[i]));
    row.emplace_back(h.epoch[i] == r.best_epoch ? "best" : "");
    table.row(row);
  }
  return h.epoch.empty() ? "" : "\nHistory\n" + table.str();
}

std::string split(const RunRecord& r) {
  const auto& s = r.split;
  auto out = fmt::format("\nSplit\n  {} to train, {} to validate, {} to test (segments)\n",
                         grouped(size_of(s.train)), grouped(size_of(s.validation)), grouped(size_of(s.test)));
  out += fmt::format("  test clips with segments in train: {}\n", percent(s.clip_share_in_train));
  out += fmt::format("  test clips whose artist is in train: {}\n", std::isnan(s.artist_share_in_train)
                                                                        ? "unknown (the data name no artists)"
                                                                        : percent(s.artist_share_in_train));
  if (s.looked) {
    out += fmt::format("  copies and near duplicates: {}\n", count(size_of(s.related), "pair"));
    constexpr std::size_t most = 10;
    for (std::size_t i = 0; i < std::min(s.related.size(), most); ++i) {
      const auto& [clips, part_a, part_b] = s.related[i];
      out += fmt::format(
          "    {} ({}) and {} ({}): {}, {:.1f}% of the bits differ, {:+.1f} s\n", printable(clips.clip_a),
          part_a.empty() ? "no part" : part_a, printable(clips.clip_b), part_b.empty() ? "no part" : part_b,
          clips.same_audio ? "same audio" : "near duplicate", 100 * clips.error_rate, clips.offset_seconds);
    }
    if (s.related.size() > most) out += fmt::format("    and {} more\n", s.related.size() - most);
  }
  for (const auto& share : s.shares)
    if (share.part != "test" || share.other != "train")
      if (share.found > 0)
        out += fmt::format("  {} clips {} {}: {} ({} of {})\n", share.part,
                           share.relation == "clip"      ? "with segments in"
                           : share.relation == "related" ? "with a copy or near duplicate in"
                                                         : "whose artist is in",
                           share.other, percent(share.share()), share.found, share.known);
  for (const auto& [name, text] : s.notes) out += fmt::format("  {}: {}\n", printable(name), printable(text));
  return out;
}

std::vector<std::int32_t> clip_confusion(const Evaluation& e) {
  return evaluation::confusion_matrix(e.clips.label, e.clips.prediction, e.classes());
}

std::string genres(const Evaluation& e, const std::vector<std::string>& names) {
  const auto confusion = clip_confusion(e);
  TextTable table({"genre", "clips", "right", "recall", "segments: precision", "recall", "F1"}, 1);
  const auto classes = e.classes();
  for (std::int64_t c = 0; c < classes; ++c) {
    std::int64_t clips = 0;
    for (std::int64_t other = 0; other < classes; ++other) clips += confusion[c * classes + other];
    const auto right = confusion[c * classes + c];
    table.row({printable(names[c]), std::to_string(clips), std::to_string(right),
               clips > 0 ? percent(double(right) / double(clips)) : "-", decimals(e.per_class.precision[c]),
               decimals(e.per_class.recall[c]), decimals(e.per_class.f1[c])});
  }
  return "\nGenres (test)\n" + table.str();
}

std::string confusions(const Evaluation& e, const std::vector<std::string>& names) {
  const auto confusion = clip_confusion(e);
  const auto classes = e.classes();
  constexpr std::int64_t widest = 16;
  if (classes <= widest) {
    // Long names label the rows only; the columns then have the numbers of the rows.
    std::size_t width = 0;
    for (const auto& name : names) width += name.size() + 2;
    const bool numbered = width > 85;
    const auto row_name = [&](std::int64_t c) {
      return numbered ? fmt::format("{:>2} {}", c + 1, printable(names[c])) : printable(names[c]);
    };
    std::vector<std::string> head{"true \\ taken for"};
    for (std::int64_t c = 0; c < classes; ++c)
      head.push_back(numbered ? std::to_string(c + 1) : printable(names[c]));
    TextTable table(head, 1);
    for (std::int64_t c = 0; c < classes; ++c) {
      std::vector<std::string> row{row_name(c)};
      for (std::int64_t other = 0; other < classes; ++other) {
        const auto n = confusion[c * classes + other];
        row.push_back(n == 0 ? "." : std::to_string(n));
      }
      table.row(row);
    }
    return "\nConfusion (test clips)\n" + table.str();
  }
  std::vector<std::int64_t> wrong;
  for (std::int64_t i = 0; i < classes * classes; ++i)
    if (i / classes != i % classes && confusion[i] > 0) wrong.push_back(i);
  std::stable_sort(wrong.begin(), wrong.end(), [&](auto a, auto b) { return confusion[a] > confusion[b]; });
  if (wrong.size() > 15) wrong.resize(15);
  TextTable table({"true", "taken for", "clips"}, 2);
  for (const auto i : wrong)
    table.row({printable(names[i / classes]), printable(names[i % classes]), std::to_string(confusion[i])});
  return wrong.empty() ? "" : "\nMost frequent confusions (test clips)\n" + table.str();
}

std::string model(const RunRecord& r) {
  if (r.model_config.empty()) return "";
  std::map<std::string, std::int64_t> parameters;
  for (const auto& w : r.weights) parameters[w.layer] += w.shape.size();
  TextTable table({"layer", "class", "parameters"}, 2);
  std::string input;
  try {
    const auto config = nlohmann::ordered_json::parse(r.model_config);
    for (const auto& layer : config.at("config").at("layers")) {
      const auto type = layer.at("class_name").get<std::string>();
      const auto& options = layer.at("config");
      const auto name = options.at("name").get<std::string>();
      if (type == "InputLayer") {
        for (const auto& extent : options.at("batch_input_shape"))
          input += (input.empty() ? " of (" : ", ") + (extent.is_null() ? "None" : extent.dump());
        input += ")";
      } else
        table.row(
            {printable(name), printable(type), parameters.contains(name) ? grouped(parameters[name]) : ""});
    }
  } catch (const nlohmann::json::exception&) {
    return "\nModel\n  its description cannot be read\n";
  }
  return fmt::format("\nModel{} (the file is also a Keras model)\n{}", input, table.str());
}

std::string bad_files(const std::vector<std::string>& paths, const std::vector<std::string>& reasons,
                      bool all) {
  if (paths.empty()) return "\nBad files: none\n";
  const std::size_t shown = all ? paths.size() : std::min<std::size_t>(paths.size(), 20);
  auto out = fmt::format("\nBad files: {}\n", paths.size());
  for (std::size_t i = 0; i < shown; ++i)
    out += fmt::format("  {}: {}\n", printable(paths[i]), printable(reasons[i]));
  if (shown < paths.size()) out += fmt::format("  and {} more (--all)\n", paths.size() - shown);
  return out;
}

bool is_feature_file(const storage::H5File& file) {
  for (const auto* name : {"/features", "/label", "/clip", "/clips", "/label_names"})
    if (!file.exists(name)) return false;
  const auto children = file.children("/");
  return std::none_of(children.begin(), children.end(),
                      [](const auto& c) { return c.name == "features" && c.is_group; });
}

/// The manifest's further columns, and how many values each has.
std::string further_columns(const storage::H5File& file, std::size_t clips) {
  const auto names = file.read_texts("/clips/column_names"), values = file.read_texts("/clips/columns");
  if (names.empty() || values.size() != names.size() * clips)
    fail("{}: is damaged: /clips/columns does not fit its names and the clips",
         printable(file.path().string()));
  TextTable table({"column", "values"}, 1);
  for (std::size_t c = 0; c < names.size(); ++c) {
    std::set<std::string_view> distinct;
    for (std::size_t i = c; i < values.size(); i += names.size()) distinct.insert(values[i]);
    table.row({printable(names[c]), std::to_string(distinct.size())});
  }
  return "\nFurther columns\n" + table.str();
}

std::string describe_features(const storage::H5File& file, const DescribeOptions& options) {
  const auto shape = file.shape("/features");
  const auto names = file.read_texts("/label_names");
  const auto label = file.read_ints("/label"), clip = file.read_ints("/clip");
  const auto paths = file.read_texts("/clips/path");
  if (shape.rank() < 2 || shape[0] != size_of(label) || label.size() != clip.size())
    fail("{}: is damaged: features {}, {} labels and {} clips", printable(file.path().string()), shape.str(),
         label.size(), clip.size());
  std::vector<std::int64_t> segments(names.size());
  std::vector<std::set<std::int32_t>> clips(names.size());
  for (std::size_t row = 0; row < label.size(); ++row) {
    if (label[row] < 0 || label[row] >= size_of(names))
      fail("{}: is damaged: label {} in row {}", printable(file.path().string()), label[row], row);
    ++segments[label[row]];
    clips[label[row]].insert(clip[row]);
  }
  const Shape row(std::vector<std::int64_t>(shape.extents().begin() + 1, shape.extents().end()));
  auto out = fmt::format("features of {} of {}: {} each, {}, {:.1f} MB\n", count(shape[0], "segment"),
                         count(size_of(paths), "clip"), row.str(), file.type_name("/features"),
                         4e-6 * static_cast<double>(shape.size()));
  const auto attributes = file.attributes("/");
  const auto generated = [](const auto& a) {
    return a.first == "synthetic" && a.second != "0" && !a.second.empty();
  };
  if (std::any_of(attributes.begin(), attributes.end(), generated))
    out += "SYNTHETIC: made by the generator, not music\n";
  out += "\nParameters\n";
  for (const auto* object : {"/", "/features"})
    for (const auto& [name, value] : file.attributes(object))
      out += fmt::format("  {:<22}{}\n", printable(name), printable(value));
  TextTable table({"label", "clips", "segments"}, 1);
  for (std::size_t c = 0; c < names.size(); ++c)
    table.row({printable(names[c]), std::to_string(clips[c].size()), std::to_string(segments[c])});
  out += "\nLabels\n" + table.str();
  if (file.exists("/clips/column_names")) out += further_columns(file, paths.size());
  std::vector<std::string> bad, reasons;
  if (file.exists("/bad_files/path")) {
    bad = file.read_texts("/bad_files/path"), reasons = file.read_texts("/bad_files/reason");
    reasons.resize(bad.size());
  }
  return out + bad_files(bad, reasons, options.all);
}

}  // namespace

std::string stamps(const RunRecord& r) {
  std::string out;
  if (r.status == "diverged") out += "DIVERGED: the weights are of no use\n";
  if (r.status == "interrupted") out += "INTERRUPTED: the run was not finished\n";
  if (r.synthetic) out += "SYNTHETIC: generated sounds, not music; the figures say nothing about genres\n";
  for (const auto& s : split_stamps(r.split)) out += s.name + ": " + printable(s.text) + "\n";
  return out;
}

std::string describe_result(const RunRecord& r, const DescribeOptions& options) {
  auto out = headline(r) + history(r, options.all) + split(r);
  if (r.test) out += genres(*r.test, r.label_names) + confusions(*r.test, r.label_names);
  out += model(r);
  if (r.segments)
    if (const auto cuts = data::describe(*r.segments); !cuts.empty()) out += "\n" + cuts + "\n";
  std::vector<std::string> paths, reasons;
  for (const auto& bad : r.bad_files) paths.push_back(bad.path), reasons.push_back(bad.reason);
  out += bad_files(paths, reasons, options.all);
  out += "\nEnvironment (Timbre " + printable(r.version) + ")\n";
  for (const auto& [name, text] : r.environment)
    out += fmt::format("  {:<18}{}\n", printable(name), printable(text));
  return out;
}

std::string describe_file(const std::filesystem::path& path, const DescribeOptions& options,
                          const storage::Trust& trust) {
  return storage::read_behind_door(path, trust, [&] { return describe_file_here(path, options); });
}

std::string describe_file_here(const std::filesystem::path& path, const DescribeOptions& options) {
  {
    const auto file = storage::H5File::open(path);
    if (!is_result(file)) {
      if (is_feature_file(file)) return describe_features(file, options);
      fail_request("{}: is an HDF5 file, but neither a result nor features", printable(path.string()));
    }
  }
  return describe_result(read_result_here(path), options);
}

}  // namespace timbre::results
