#include "data/manifest.hpp"

#include <algorithm>
#include <charconv>
#include <map>
#include <set>
#include <system_error>
#include <utility>

#include "core/error.hpp"
#include "core/text.hpp"
#include "data/csv.hpp"

namespace timbre::data {

namespace fs = std::filesystem;

namespace {

const std::vector<std::string> own_columns{"path", "label", "group", "fold"};

/// Where the columns are; -1 where there is none.
struct Columns {
  int path, label, group, fold;
  std::vector<int> others;
};

Columns columns_of(const CsvTable& table) {
  Columns out{table.column("path"), table.column("label"), table.column("group"), table.column("fold"), {}};
  const auto& names = table.header.fields;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names[i].empty())
      fail_request("{}:{}: column {} has no name", table.source, table.header.line, i + 1);
    if (table.column(names[i]) != int(i))
      fail_request("{}:{}: the column '{}' is there twice", table.source, table.header.line,
                   printable(names[i]));
    if (std::find(own_columns.begin(), own_columns.end(), names[i]) == own_columns.end())
      out.others.push_back(int(i));
  }
  for (const auto& [name, column] : {std::pair{"path", out.path}, {"label", out.label}})
    if (column < 0) {
      fail_request("{}:{}: the column '{}' is missing; a manifest has path,label[,group][,fold]{}",
                   table.source, table.header.line, name, printable(did_you_mean(name, names)));
    }
  return out;
}

/// The whole number that a text is; -1 where it is none.
std::int64_t number_of(const std::string& text) {
  std::int64_t v = -1;
  const auto [stop, code] = std::from_chars(text.data(), text.data() + text.size(), v);
  return code == std::errc() && stop == text.data() + text.size() && v >= 0 ? v : -1;
}

/// Names of folds in their order: by number where all are numbers, else by bytes.
std::vector<std::string> ordered(const std::set<std::string>& names) {
  std::vector<std::string> out(names.begin(), names.end());
  if (std::all_of(out.begin(), out.end(), [](const auto& n) { return number_of(n) >= 0; }))
    std::stable_sort(out.begin(), out.end(),
                     [](const auto& a, const auto& b) { return number_of(a) < number_of(b); });
  return out;
}

}  // namespace

ClipIndex index_manifest(const fs::path& file) {
  std::error_code error;
  if (fs::status(file, error).type() == fs::file_type::not_found)
    fail_at("dataset.manifest",
            "there is no file at {}. It is a CSV file with the columns path,label[,group][,fold]. To try "
            "without music: --set dataset.synthetic={{}}",
            printable(fs::absolute(file).lexically_normal().string()));
  const auto table = read_csv(file);
  const auto columns = columns_of(table);
  if (table.rows.empty()) fail_request("{}:{}: no clips below the header", table.source, table.header.line);

  ClipIndex index;
  index.root = fs::absolute(file).lexically_normal().parent_path();
  for (const int c : columns.others) index.names.columns.push_back(table.header.fields[std::size_t(c)]);
  std::map<std::string, std::int32_t> labels;
  std::set<std::string> folds;
  for (const auto& row : table.rows) {
    labels.emplace(row.fields[std::size_t(columns.label)], 0);
    if (columns.fold >= 0 && !row.fields[std::size_t(columns.fold)].empty())
      folds.insert(row.fields[std::size_t(columns.fold)]);
  }
  for (auto& [name, number] : labels) {
    number = static_cast<std::int32_t>(index.label_names.size());
    index.label_names.push_back(name);
  }
  index.names.folds = ordered(folds);
  std::map<std::string_view, std::int32_t> fold_numbers;
  for (const auto& name : index.names.folds) fold_numbers.emplace(name, std::int32_t(fold_numbers.size()));
  std::map<fs::path, int> seen;
  for (const auto& row : table.rows) {
    const auto place = fmt::format("{}:{}", table.source, row.line);
    const auto field = [&](int column) -> std::string {
      return column < 0 ? std::string() : row.fields[static_cast<std::size_t>(column)];
    };
    for (const auto& [name, column] : {std::pair{"path", columns.path}, {"label", columns.label}})
      if (field(column).empty()) fail_request("{}: the {} is empty", place, name);
    const auto given = field(columns.path);
    Clip clip;
    clip.file = (index.root / given).lexically_normal();
    const auto relative = clip.file.lexically_relative(index.root);
    // A file elsewhere keeps its whole path; a way up and down again would say nothing.
    clip.path = relative.empty() || (fs::path(given).is_absolute() && *relative.begin() == "..")
                    ? clip.file.generic_string()
                    : relative.generic_string();
    clip.label = labels.at(field(columns.label));
    clip.group = field(columns.group);
    if (const auto fold = field(columns.fold); !fold.empty()) clip.fold = fold_numbers.at(fold);
    for (const int c : columns.others) clip.columns.push_back(field(c));
    const auto [first, is_new] = seen.emplace(clip.file, row.line);
    if (!is_new) fail_request("{}: '{}' stands in line {} already", place, printable(given), first->second);
    index.clips.push_back(std::move(clip));
  }
  sort_clips(index);
  require_classes(index, "dataset.manifest", table.source);
  return index;
}

}  // namespace timbre::data
