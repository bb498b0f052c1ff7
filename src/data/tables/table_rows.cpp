#include "data/tables/table_rows.hpp"

#include <algorithm>
#include <functional>
#include <iterator>
#include <span>
#include <string_view>
#include <utility>

#include "core/error.hpp"
#include "core/hash.hpp"
#include "core/interrupt.hpp"
#include "core/text.hpp"
#include "data/store_files.hpp"

namespace timbre::data {

std::string TableRows::place(std::int64_t row) const {
  const auto file =
      std::size_t(std::upper_bound(file_begin.begin(), file_begin.end(), row) - file_begin.begin() - 1);
  return lines.empty() ? fmt::format("{}: row {}", shown[file], row - file_begin[file])
                       : fmt::format("{}:{}", shown[file], lines[std::size_t(row)]);
}

namespace {

std::uint64_t hash_of_row(std::span<const float> row) {
  if (std::all_of(row.begin(), row.end(), [&](float v) { return v == row.front(); })) return 0;
  return std::hash<std::string_view>{}({reinterpret_cast<const char*>(row.data()), row.size_bytes()}) | 1;
}

/// Adds a column of a further file. Either all files have it or none.
template <class T>
void append(std::vector<T>& to, std::vector<T>&& from, bool first, const std::string& shown,
            const char* what) {
  if (!first && to.empty() != from.empty())
    fail_request("{}: has {} {}, unlike the files before it", shown, from.empty() ? "no" : "", what);
  if (first)
    to = std::move(from);
  else
    to.insert(to.end(), std::make_move_iterator(from.begin()), std::make_move_iterator(from.end()));
}

void append_labels(TableRows& all, Table& t) {
  std::vector<std::int32_t> number;
  for (const auto& name : t.label_names) {
    const auto found = std::find(all.label_names.begin(), all.label_names.end(), name);
    number.push_back(std::int32_t(found - all.label_names.begin()));
    if (found == all.label_names.end()) all.label_names.push_back(name);
  }
  for (auto& l : t.label) l = number[std::size_t(l)];
}

}  // namespace

TableRows read_tables(const features::ExternalOptions& options) {
  TableRows all;
  Hasher content;
  for (const auto& file : options.file.paths) {
    const auto shown = printable(file.string());
    const bool first = all.shown.empty();
    all.is_json |= table_format(options, file) == "json";
    auto t = read_table(options, file, [&](std::span<const float> row) {
      if ((all.hashes.size() & 4095) == 0) throw_if_stopped();
      all.hashes.push_back(hash_of_row(row));
    });
    content.text(hash_of_file(file));
    if (!first && t.width != all.width)
      fail_request("{}: has {} numbers a frame, but {} has {}", shown, t.width, all.shown.front(), all.width);
    if (all.rows + t.rows > most_table_rows) fail_request("{}: too many rows", shown);
    append_labels(all, t);
    if (first)
      all.columns = t.columns;
    else if (t.columns != all.columns)
      fail_request("{}: has other columns than {}", shown, all.shown.front());
    if (t.frames.size() == 1 && (all.frames.size() > 1 || (!first && all.frames != t.frames)))
      t.frames.assign(std::size_t(t.rows), t.frames.front());
    if (!first && all.frames.size() == 1 && all.frames != t.frames)
      all.frames.assign(std::size_t(all.rows), all.frames.front());
    if (first || all.frames.size() > 1 || t.frames.size() > 1) {
      if (first)
        all.frames = std::move(t.frames);
      else
        all.frames.insert(all.frames.end(), t.frames.begin(), t.frames.end());
    }
    append(all.ids, std::move(t.ids), first, shown, "IDs");
    append(all.label, std::move(t.label), first, shown, "labels");
    append(all.groups, std::move(t.groups), first, shown, "groups");
    append(all.lines, std::move(t.lines), first, shown, "lines");
    all.notes.insert(all.notes.end(), t.notes.begin(), t.notes.end());
    all.file_begin.push_back(all.rows), all.shown.push_back(shown);
    all.width = t.width, all.rows += t.rows;
  }
  all.content = content.hex();
  return all;
}

}  // namespace timbre::data
