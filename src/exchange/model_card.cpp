#include "exchange/model_card.hpp"

#include <cmath>
#include <map>

#include "config/node.hpp"
#include "config/settings.hpp"
#include "core/error.hpp"
#include "core/text.hpp"
#include "evaluation/calibration.hpp"
#include "evaluation/statistics.hpp"

namespace timbre::exchange {

namespace {

using results::Evaluation;
using results::RunRecord;

/// A text of the record, as a cell of a table or a word of a sentence may hold it.
std::string safe(std::string_view text) {
  std::string out;
  for (const char c : printable(text))
    out += std::string_view("|<>`*[]\\#").find(c) == std::string_view::npos ? std::string(1, c)
                                                                            : std::string("\\") + c;
  return out;
}
std::string percent(double share) {
  return std::isnan(share) ? "unknown" : fmt::format("{:.1f}%", 100 * share);
}

std::int64_t count_right(const Evaluation& e) {
  std::int64_t n = 0;
  for (std::size_t i = 0; i < e.clips.label.size(); ++i) n += e.clips.label[i] == e.clips.prediction[i];
  return n;
}

std::string row(const std::vector<std::string>& cells) { return "| " + join(cells, " | ") + " |\n"; }
std::string head(const std::vector<std::string>& cells) {
  std::string rule = "|";
  for (std::size_t i = 0; i < cells.size(); ++i) rule += i == 0 ? " --- |" : " ---: |";
  return row(cells) + rule + "\n";
}

/// The value at a path of the configuration, as a person reads it.
std::string setting(const config::Node& root, std::string_view path) {
  const auto* node = config::at(root, path);
  return node ? safe(node->is_scalar() ? node->scalar : config::flow(node)) : "?";
}

/// "mfcc, frames of 2048 samples every 512"; of stacked features each.
std::string features_of(const config::Node& root) {
  std::vector<std::string> out;
  const auto add = [&](const std::string& name, const std::string& path) {
    const bool transformed = config::at(root, path + ".n_fft") != nullptr;
    out.push_back(fmt::format("{}, frames of {} samples every {}", name,
                              setting(root, path + (transformed ? ".n_fft" : ".frame_length")),
                              setting(root, path + ".hop_length")));
  };
  if (const auto* stack = config::at(root, "features.stack"); stack && stack->is_sequence())
    for (std::size_t i = 0; i < stack->items.size(); ++i)
      for (const auto& [name, options] : stack->items[i].entries)
        add(safe(name), fmt::format("features.stack[{}].{}", i, name));
  else
    add(setting(root, "features.kind"), "features");
  const auto* summary = config::at(root, "features.summary");
  return join(out, "; ") + (summary && !summary->is_null()
                                ? fmt::format("; of each coefficient {}", safe(config::flow(summary)))
                                : "");
}

std::string about(const RunRecord& r, const config::Node& root) {
  std::vector<std::string> genres;
  for (const auto& name : r.label_names) genres.push_back(safe(name));
  auto out = fmt::format(
      "# {}\n\nA classifier of music genres, made by Timbre {}: it gives segments of audio the probabilities "
      "of {} "
      "genres ({}). {} parameters; seed {}.\n",
      safe(r.experiment), safe(r.version), genres.size(), join(genres), grouped(r.parameters), r.seed);
  if (r.status != "finished") out += fmt::format("\n**{}**: {}\n", safe(r.status), safe(r.message));
  if (r.synthetic)
    out += "\n**SYNTHETIC**: trained on generated sounds. Its figures say nothing about music.\n";
  out += "\n## What it hears\n\n";
  const auto* standardised =
      r.feature_mean.empty() ? "" : "; standardised by the means and deviations of the training part";
  if (const auto* external = config::at(root, "features.external"); external && !external->is_null()) {
    out += fmt::format(
        "No audio, but features that another program computed: segments of {} frames of {} numbers{}.\n",
        setting(root, "features.external.frames"), setting(root, "features.external.width"), standardised);
    return out;
  }
  const auto* segment = config::at(root, "dataset.segment");
  const bool detailed = segment && !segment->is_null();
  out += fmt::format("Audio at {} Hz, the mean of its channels, in segments of {} s. Features: {}{}.\n",
                     setting(root, "features.sample_rate"),
                     setting(root, detailed ? "dataset.segment.seconds" : "dataset.segment_seconds"),
                     features_of(root), standardised);
  return out;
}

std::string data_section(const RunRecord& r, const config::Node& root) {
  const auto& s = r.split;
  std::string out = "\n## Data\n\n";
  if (r.synthetic)
    out += "Generated clips.\n";
  else
    out +=
        "The recordings are not part of this file, and neither are their rights: whether a network trained "
        "on them may be used for a purpose is for its user to find out.\n";
  out += fmt::format("\nSegments: {} to train, {} to validate, {} to test; parts dealt by {}.\n",
                     grouped(std::ssize(s.train)), grouped(std::ssize(s.validation)),
                     grouped(std::ssize(s.test)), setting(root, "split.group_by"));
  const auto stamps = results::split_stamps(s);
  if (stamps.empty()) out += "\nNo leak between training and test was found.\n";
  for (const auto& stamp : stamps) out += fmt::format("\n- **{}**: {}", safe(stamp.name), safe(stamp.text));
  if (!stamps.empty()) out += "\n";
  out += fmt::format(
      "\n- test clips with segments in training: {}\n- test clips whose artist is in training: {}\n",
      percent(s.clip_share_in_train), percent(s.artist_share_in_train));
  out += s.looked ? fmt::format("- copies and near duplicates among the clips: {}\n",
                                counted(std::ssize(s.related), "pair"))
                  : std::string("- copies and near duplicates were not looked for\n");
  if (!r.bad_files.empty()) out += fmt::format("- files that could not be read: {}\n", r.bad_files.size());
  return out;
}

std::string figures(const RunRecord& r) {
  std::string out = "\n## Figures\n\n";
  if (!r.test && !r.validation) return out + "It was scored on nothing.\n";
  out += head({"part", "clips right", "clip accuracy", "95% interval over clips", "segment accuracy",
               "macro F1, clips"});
  const auto part = [&](const char* name, const Evaluation& e) {
    const auto right = count_right(e), clips = std::int64_t(e.clips.label.size());
    const auto interval = evaluation::wilson_interval(right, clips);
    out += row({name, fmt::format("{} of {}", right, clips), percent(e.clips.accuracy),
                fmt::format("{:.1f} to {:.1f}%", 100 * interval.low, 100 * interval.high),
                percent(e.accuracy), fmt::format("{:.3f}", e.clips.macro_f1)});
  };
  if (r.test) part("test", *r.test);
  if (r.validation) part("validation, which chose the weights", *r.validation);
  for (const auto& b : r.scores.baselines)
    out +=
        row({"baseline on test: " + safe(b.name), "", percent(b.clip_accuracy), "", percent(b.accuracy), ""});
  if (!r.test) return out + "\nThe test part is sealed, or was not scored.\n";
  const auto& clips = r.test->clips;
  const auto c = evaluation::calibration(clips.probabilities, r.test->classes(), clips.label);
  out += fmt::format(
      "\nCalibration of clip probabilities: expected error {:.3f} ({:.3f} if they were calibrated), Brier "
      "score {:.3f}.\n",
      c.reliability.expected_error, c.null_error, c.brier);
  if (!r.scores.looks.empty())
    out += fmt::format("The test part was scored {} time{}.\n", r.scores.looks.size(),
                       r.scores.looks.size() == 1 ? "" : "s");
  out += "\n### Genres (test clips)\n\n" + head({"genre", "clips", "right", "taken for it wrongly"});
  for (std::int64_t g = 0; g < r.test->classes(); ++g) {
    std::int64_t all = 0, right = 0, wrongly = 0;
    for (std::size_t i = 0; i < clips.label.size(); ++i) {
      all += clips.label[i] == g, right += clips.label[i] == g && clips.prediction[i] == g;
      wrongly += clips.label[i] != g && clips.prediction[i] == g;
    }
    out += row({safe(r.label_names[std::size_t(g)]), std::to_string(all), std::to_string(right),
                std::to_string(wrongly)});
  }
  return out;
}

std::string limits(const RunRecord& r, const config::Node& root) {
  const auto& s = r.split;
  std::string out = "\n## What it was not tested on\n\n";
  out += fmt::format(
      "- **Music of none of its {} genres.** It names one of them all the same: its probabilities add up to "
      "1.\n",
      r.label_names.size());
  out +=
      "- **Other collections**, recordings, encodings and eras than those of its test part; `evaluate` "
      "scores it on another labelled set.\n";
  if (std::isnan(s.artist_share_in_train))
    out +=
        "- **Unheard artists**: the data name no artists, so how it does on artists that training did not "
        "hold is not known.\n";
  else if (s.artist_share_in_train > 0)
    out +=
        fmt::format("- **Unheard artists**: {} of the test clips are by artists who are also in training.\n",
                    percent(s.artist_share_in_train));
  if (s.clip_share_in_train > 0)
    out += "- **Unheard clips**: segments of test clips were trained on, and the figures are too high.\n";
  if (!r.test) out += "- **A test part**: there is no figure of one.\n";
  const auto few = [&] {
    std::map<std::int32_t, int> clips;
    if (r.test)
      for (const auto label : r.test->clips.label) ++clips[label];
    std::vector<std::string> names;
    for (std::size_t g = 0; r.test && g < r.label_names.size(); ++g)
      if (clips[std::int32_t(g)] < 10) names.push_back(safe(r.label_names[g]));
    return names;
  }();
  if (!few.empty())
    out += fmt::format("- **Enough clips** of {}: fewer than ten each were tested.\n", join(few));
  out += fmt::format("- **Clips shorter than {} s**, which are one segment.\n",
                     setting(root, config::at(root, "dataset.segment.seconds") ? "dataset.segment.seconds"
                                                                               : "dataset.segment_seconds"));
  return out;
}

std::string how(const RunRecord& r) {
  std::string out =
      "\n## How to run it\n\n```sh\npredict result.h5 song.wav              # genres of a song\n"
      "export_model result.h5 -o model.onnx --from audio\n";
  if (r.status == "imported")
    return out + "```\n\nIt was trained elsewhere, and cannot be made again from this file.\n";
  out +=
      "inspect result.h5 --config > run.yaml   # its configuration, which runs again\nreproduce result.h5    "
      "                 # makes it again, and compares every bit\n```\n";
  out += fmt::format("\nKey of the run: `{}`. Made on {}", safe(r.key), safe(r.device));
  for (const auto& [name, text] : r.environment)
    if (name == "cpu" || name == "system") out += ", " + safe(text);
  return out + ".\n";
}

}  // namespace

std::string model_card(const RunRecord& r) {
  const auto root = config::parse_text(r.config, "the configuration", ".");
  return about(r, root) + data_section(r, root) + figures(r) + limits(r, root) + how(r);
}

}  // namespace timbre::exchange
