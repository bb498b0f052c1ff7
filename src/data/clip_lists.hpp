// Text files that speak of clips by name: split lists and tables of artists.
//
// A list names one clip per line, as Kereliuk's and Sturm's lists of GTZAN do: "blues/blues.00012.wav". A name
// matches a clip by <genre>/<stem> whatever its extension, line ends (LF, CRLF) and slashes; one without a folder
// matches by its stem. '#' begins a comment line.
// Groups are Sturm's index of GTZAN ("blues.00012.wav ::: artist ::: title"), or CSV with the columns path,group.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "data/clips.hpp"

namespace timbre::data {

/// Finds clips by the names that people's lists give them.
class ClipNames {
 public:
  ClipNames(const std::vector<Clip>& clips, const std::vector<std::string>& label_names);

  /// Indices of the clips of that name, ascending; more than one where only the extension tells them apart (or,
  /// for a name without a folder, where several genres hold the stem).
  std::vector<std::int32_t> find(std::string_view name) const;

 private:
  std::map<std::string, std::vector<std::int32_t>, std::less<>> by_path_, by_folder_, by_stem_;
};

struct ListEntry {
  int line = 0;
  std::string name;
};
/// The names in a list. Throws RequestError: no such file, no names.
std::vector<ListEntry> read_list(const std::filesystem::path& file);

struct GroupEntry {
  int line = 0;
  std::string name, group;  // group is empty where the table does not know it
};
/// Throws RequestError "FILE:LINE: ..." where a line is neither form.
std::vector<GroupEntry> read_groups(const std::filesystem::path& file);

/// The group of every clip: the table's where it names one, else the clip's own. Throws RequestError where a name
/// without a folder fits clips of several genres, or one clip gets two groups.
std::vector<std::string> groups_of_clips(const std::filesystem::path& file, const std::vector<Clip>& clips,
                                         const std::vector<std::string>& label_names);

}  // namespace timbre::data
