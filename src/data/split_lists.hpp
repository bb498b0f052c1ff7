// The parts of a split that files give, with a clip in each line (data/clip_lists.hpp says how they name clips).
#pragma once

#include <string>
#include <vector>

#include "data/split.hpp"

namespace timbre::data {

inline constexpr int no_part = -1;

struct ListedParts {
  std::vector<int> part;  // [clips], an index into part_names, or no_part
  ListStatistics statistics;
};

/// Reads the three lists that `options` names. bad_paths: clips that could not be read. Throws RequestError about the
/// key of the list, as "FILE:LINE: ...": no such file, a name that fits several clips, a clip in two lists.
ListedParts parts_by_lists(const SplitOptions& options, const std::vector<Clip>& clips,
                           const std::vector<std::string>& label_names,
                           const std::vector<std::string>& bad_paths);

}  // namespace timbre::data
