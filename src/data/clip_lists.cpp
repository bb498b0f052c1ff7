#include "data/clip_lists.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "core/error.hpp"
#include "core/text.hpp"
#include "data/csv.hpp"

namespace timbre::data {

namespace fs = std::filesystem;

namespace {

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r");
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

/// Artists as they are compared: blanks at the ends do not count, and a run of them is one.
std::string tidy(std::string_view text) {
  std::string out;
  for (const char c : trimmed(text)) {
    const char plain = c == '\t' ? ' ' : c;
    if (plain != ' ' || (!out.empty() && out.back() != ' ')) out += plain;
  }
  return out;
}

/// Slashes one way, no "./" in front, no audio extension.
std::string normalised(std::string_view name) {
  std::string path(trimmed(name));
  std::replace(path.begin(), path.end(), '\\', '/');
  path = fs::path(path).lexically_normal().generic_string();
  return std::string(without_audio_extension(path));
}

/// The part after the last '/' of `path`, and after the one before it.
std::string_view last_one(std::string_view path) { return path.substr(path.rfind('/') + 1); }
std::string_view last_two(std::string_view path) {
  const auto slash = path.rfind('/');
  if (slash == path.npos || slash == 0) return path;
  return path.substr(path.rfind('/', slash - 1) + 1);
}

void add(std::map<std::string, std::vector<std::int32_t>, std::less<>>& map, std::string_view key,
         std::int32_t clip) {
  auto& clips = map[std::string(key)];
  if (clips.empty() || clips.back() != clip) clips.push_back(clip);
}

/// The lines of a text, without their ends.
std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> out;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    out.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

}  // namespace

ClipNames::ClipNames(const std::vector<Clip>& clips, const std::vector<std::string>& label_names) {
  for (std::size_t i = 0; i < clips.size(); ++i) {
    const auto clip = static_cast<std::int32_t>(i);
    const auto path = normalised(clips[i].path);
    add(by_path_, path, clip);
    add(by_folder_, last_two(path), clip);
    // In a manifest the folder need not be the genre.
    add(by_folder_, label_names[std::size_t(clips[i].label)] + "/" + std::string(last_one(path)), clip);
    add(by_stem_, last_one(path), clip);
  }
}

std::vector<std::int32_t> ClipNames::find(std::string_view name) const {
  const auto path = normalised(name);
  const auto in = [](const auto& map, std::string_view key) {
    const auto it = map.find(key);
    return it == map.end() ? std::vector<std::int32_t>{} : it->second;
  };
  if (path.find('/') == path.npos) return in(by_stem_, path);
  auto found = in(by_path_, path);
  return found.empty() ? in(by_folder_, last_two(path)) : found;
}

std::vector<ListEntry> read_list(const fs::path& file) {
  const auto text = read_text_file(file);
  std::vector<ListEntry> out;
  int line = 0;
  for (const auto raw : lines_of(text)) {
    ++line;
    const auto name = trimmed(raw);
    if (!name.empty() && !name.starts_with('#')) out.push_back({line, std::string(name)});
  }
  if (out.empty()) fail_request("{}: names no clip", printable(file.string()));
  return out;
}

std::vector<GroupEntry> read_groups(const fs::path& file) {
  const auto text = read_text_file(file);
  const auto source = printable(file.string());
  std::vector<GroupEntry> out;
  if (text.find(":::") != text.npos) {
    int line = 0;
    for (const auto raw : lines_of(text)) {
      ++line;
      const auto row = trimmed(raw);
      if (row.empty() || row.starts_with('#')) continue;
      const auto first = row.find(":::");
      if (first == row.npos)
        fail_request("{}:{}: a line of an index reads 'file ::: artist ::: title'", source, line);
      const auto rest = row.substr(first + 3);
      const auto name = trimmed(row.substr(0, first));
      if (name.empty()) fail_request("{}:{}: the file is empty", source, line);
      out.push_back({line, std::string(name), tidy(rest.substr(0, rest.find(":::")))});
    }
    return out;
  }
  const auto table = parse_csv(text, source);
  const int path = table.column("path"), group = table.column("group");
  if (path < 0 || group < 0)
    fail_request(
        "{}:{}: a table of groups is CSV with the columns path,group, or an index with lines "
        "'file ::: artist ::: title'; the columns here: {}",
        source, table.header.line, printable(join(table.header.fields)));
  for (const auto& row : table.rows) {
    const auto& name = row.fields[std::size_t(path)];
    if (name.empty()) fail_request("{}:{}: the path is empty", source, row.line);
    out.push_back({row.line, name, tidy(row.fields[std::size_t(group)])});
  }
  return out;
}

std::vector<std::string> groups_of_clips(const fs::path& file, const std::vector<Clip>& clips,
                                         const std::vector<std::string>& label_names) {
  const auto source = printable(file.string());
  const ClipNames names(clips, label_names);
  std::vector<std::string> out(clips.size());
  std::vector<int> named_in(clips.size(), 0);  // the line that gave a clip its group
  for (const auto& entry : read_groups(file)) {
    const auto found = names.find(entry.name);
    std::set<std::string_view> folders;
    for (const auto i : found) folders.insert(without_audio_extension(clips[std::size_t(i)].path));
    if (folders.size() > 1)
      fail_request("{}:{}: '{}' may be {}; write <genre>/<clip>", source, entry.line, printable(entry.name),
                   printable(fmt::format("{}", fmt::join(folders, " or "))));
    for (const auto i : found) {
      auto& group = out[std::size_t(i)];
      auto& line = named_in[std::size_t(i)];
      if (line != 0 && group != entry.group)
        fail_request("{}:{}: '{}' has the group '{}', but '{}' in line {}", source, entry.line,
                     printable(entry.name), printable(entry.group), printable(group), line);
      group = entry.group, line = entry.line;
    }
  }
  for (std::size_t i = 0; i < clips.size(); ++i)
    if (out[i].empty()) out[i] = tidy(clips[i].group);
  return out;
}

}  // namespace timbre::data
