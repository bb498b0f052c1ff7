// The plan of a study, frozen: the file DIR/plan.json holds its runs with their resolved configurations, so that tasks of a
// cluster do what was submitted, whatever becomes of the study's file and of the configurations that it names.
//
// Relative paths in it are relative to the folder where the study was planned.
#pragma once

#include <filesystem>
#include <optional>
#include <set>

#include "study/study.hpp"

namespace timbre::study {

std::filesystem::path plan_file(const std::filesystem::path& folder);

/// Replaces the plan of a folder.
void save_plan(const Study& study, const std::filesystem::path& folder);

/// Names, folders and settings of all runs; the configurations, clips and features of those in `wanted` alone (indices), of
/// all where it is absent. Throws RequestError where the folder has no plan, or one that cannot be read.
Study load_plan(const std::filesystem::path& folder, const std::optional<std::set<std::size_t>>& wanted,
                const std::filesystem::path& runs, int threads, run::Watcher& watcher);

}  // namespace timbre::study
