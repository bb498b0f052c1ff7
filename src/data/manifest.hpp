// A list of clips as CSV: path,label[,group][,fold] and any other columns, in any order.
//
// Paths resolve against the folder of the file. A fold may have any name: 1 to 5, a to e. Further columns are kept with the
// clips (split.by deals them whole by one).
#pragma once

#include <filesystem>

#include "data/clips.hpp"

namespace timbre::data {

/// Throws RequestError "FILE:LINE: ...": a column that is missing or there twice, an empty path or label, a path twice.
ClipIndex index_manifest(const std::filesystem::path& file);

}  // namespace timbre::data
