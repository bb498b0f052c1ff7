// Before a run begins: which clips can be used, how they are split, and whether the split leaks.
//
// `leakage:` of a configuration says what becomes of a split whose parts share sound (segments of one clip, copies,
// near duplicates): `warn` warns, `refuse` ends the request, `allow` says nothing. Results and reports have the stamp LEAKS
// in all three cases. A deal of clips or artists keeps copies and near duplicates together. Shared artists are stamped
// (ARTISTS), but never refused: split.group_by: artist avoids them.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "data/survey.hpp"
#include "results/split_record.hpp"
#include "run/run.hpp"

namespace timbre::run {

/// The plan's survey, or a new one, which is kept under `runs`. Throws RequestError, with its place, where the split is
/// wrong for any clips.
std::shared_ptr<const data::Survey> survey_of(const Plan& plan, const std::filesystem::path& runs,
                                              ThreadPool& pool, Watcher& watcher);

/// The rows and the split that the run will have.
struct Preview {
  data::FeatureTable table;  // without features
  data::Split split;
};
/// Throws what the run would throw: RequestError with its place where the split is wrong or leaks though it must not,
/// Error where a clip is bad and on_bad_file is error.
Preview preview(const Plan& plan, const data::Survey& survey);

/// Throws RequestError where the parts share sound and the configuration refuses it.
void refuse_leaks(const RunConfig& config, const data::Split& split);

/// As a result keeps it.
results::SplitRecord split_record(const data::Split& split, const std::vector<data::Clip>& clips);

/// Of a split that is about to be used: clips and segments of each part, shares, stamps. Ends in a newline.
std::string split_counts(const data::Split& split, const data::FeatureTable& table);
/// Further lines for the person: notes, and what leaks, unless `leakage` is `allow`.
std::vector<std::string> split_notes(const RunConfig& config, const data::Split& split);

}  // namespace timbre::run
