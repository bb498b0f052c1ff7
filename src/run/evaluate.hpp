// A finished network on another labelled set: what `evaluate` does.
//
// Features, segments and standardisation are those of the training. Labels are matched by name; clips of labels that the
// network does not know are left out and counted. The record that comes of it is a result file like any other, whose test
// part is the whole set; it has no training part, no validation and no baselines. Whether the network has heard these clips
// in training is not known.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "results/run_record.hpp"
#include "run/run.hpp"

namespace timbre::run {

struct OtherSet {
  results::RunRecord record;
  std::vector<std::string> unknown;  // "noise (12 clips)": labels that the network does not know
  std::int64_t clips = 0;            // scored
};

/// `set`: a folder <genre>/<clip>, a manifest (.csv), or a configuration (.yaml), of which `dataset:` is used.
/// `options`: runs (for the feature store) and threads. Throws RequestError: no such set, no label that the network knows;
/// Error: the result holds no usable network (run/trained.hpp).
OtherSet evaluate_on(const std::filesystem::path& result, const std::filesystem::path& set,
                     const std::string& device, const storage::Trust& trust, const RunOptions& options,
                     Watcher& watcher);

}  // namespace timbre::run
