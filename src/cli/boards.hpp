// What `--tensorboard` writes: event files that `tensorboard --logdir FOLDER` shows (exchange/tensorboard.hpp).
//
//   of a run      FOLDER/tensorboard/, FOLDER that of result.h5
//   of a study    FOLDER/tensorboard/<run>/, one for each result, and FOLDER/tensorboard/study/ with the report's sentences.
//                 Test figures are shown of the runs that validation chose, as in the report
// Files are replaced whole; the same results give the same bytes, since the time of an event counts from the result file's.
// Errors: Error where a file cannot be read or written.
#pragma once

#include <filesystem>
#include <vector>

#include "report/report.hpp"

namespace timbre::cli {

/// Returns the folder for --logdir.
std::filesystem::path write_run_board(const std::filesystem::path& result);
std::filesystem::path write_study_boards(const std::vector<std::filesystem::path>& results,
                                         const std::filesystem::path& folder, const report::Options& options);

}  // namespace timbre::cli
