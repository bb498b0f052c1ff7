#include "results/csv.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "core/text.hpp"

namespace timbre::results {

std::string csv_cell(const std::string& text) {
  if (text.find_first_of(",\"\n\r") == text.npos) return text;
  std::string out = "\"";
  for (const char c : text) out += c == '"' ? "\"\"" : std::string(1, c);
  return out + '"';
}

namespace {

void add_predictions(std::string& out, const std::string& part, const Evaluation& e,
                     const std::vector<std::string>& names) {
  const auto classes = std::size_t(e.classes());
  const auto name = [&](std::int32_t label) { return csv_cell(printable(names.at(std::size_t(label)))); };
  for (std::size_t i = 0; i < e.label.size(); ++i) {
    out += fmt::format("{},{},{},{},{}", part, csv_cell(printable(e.clips.path.at(std::size_t(e.clip[i])))),
                       e.segment[i], name(e.label[i]), name(e.prediction[i]));
    for (std::size_t c = 0; c < classes; ++c) out += fmt::format(",{}", e.probabilities[i * classes + c]);
    out += "\n";
  }
}

}  // namespace

std::string predictions_csv(const RunRecord& record) {
  std::string out = "part,path,segment,label,prediction";
  for (const auto& name : record.label_names) out += "," + csv_cell(printable(name));
  out += "\n";
  if (record.validation) add_predictions(out, "validation", *record.validation, record.label_names);
  if (record.test) add_predictions(out, "test", *record.test, record.label_names);
  return out;
}

std::string history_csv(const RunRecord& record) {
  const auto& h = record.history;
  std::string out = "epoch";
  for (const auto& c : training::history_columns)
    if (c.is_in(h)) out += std::string(",") + c.name;
  out += "\n";
  for (std::size_t i = 0; i < h.epoch.size(); ++i) {
    out += std::to_string(h.epoch[i]);
    for (const auto& c : training::history_columns)
      if (c.is_in(h)) out += fmt::format(",{}", (h.*c.values).at(i));
    out += "\n";
  }
  return out;
}

std::string splits_csv(const RunRecord& record) {
  std::vector<std::pair<std::int32_t, const char*>> rows;
  const std::pair<const std::vector<std::int32_t>*, const char*> parts[] = {
      {&record.split.train, "train"}, {&record.split.validation, "validation"}, {&record.split.test, "test"}};
  for (const auto& [numbers, part] : parts)
    for (const auto row : *numbers) rows.push_back({row, part});
  std::stable_sort(rows.begin(), rows.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  std::string out = "row,part\n";
  for (const auto& [row, part] : rows) out += fmt::format("{},{}\n", row, part);
  return out;
}

}  // namespace timbre::results
