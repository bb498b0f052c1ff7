// Features of a whole data set as others read them: what `extract_features --format` writes.
//
//   npz    X float32 [N, T, F], Y int64 [N], IDS <U [N] (the clips' paths), segment int64 [N], label_names <U, and groups <U
//          [N] where there are some
//   csv    path,label[,group],segment, then f0, f1, ... of vectors, or t0_f0, t0_f1, ... of sequences: a row a segment, numbers
//          in the shortest text that reads back as the same float32
//   json   {"mapping", "labels", "mfcc"} as the original wrote it, "features" in place of "mfcc" of another kind, and "ids"
//   h5     write_feature_file (feature_store.hpp)
// features.external reads each of them without being told more than the file's name.
#pragma once

#include <filesystem>
#include <string>

#include "data/feature_store.hpp"

namespace timbre::data {

/// `format`: npz, csv or json. Throws RequestError where a row is too wide for CSV; Error where the disk refuses.
void write_feature_table(const std::filesystem::path& target, const std::string& format,
                         const FeatureTable& table, const features::FeatureOptions& options);

}  // namespace timbre::data
