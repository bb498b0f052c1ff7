// Which classes of a data set are used, and what they are called.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "config/schema.hpp"

namespace timbre::data {

struct ClipIndex;

/// Names by names, in the order of the file's bytes.
struct Renames {
  std::map<std::string, std::string> to;
  static Renames from(const config::Reader& reader);
  static config::Type describe();
  config::Node dump() const;
};

/// `dataset.labels:` of a configuration. Both keys speak of labels as the data set has them. Two labels that are renamed
/// to one are one class.
struct LabelOptions {
  std::vector<std::string> keep;  // empty: all
  Renames rename;
};
const config::Schema<LabelOptions>& schema(config::of<LabelOptions>);

/// Drops the clips of other labels (with a note), and renames the rest. Throws RequestError about a label that the data
/// set does not have.
void apply_labels(const LabelOptions& options, ClipIndex& index);

}  // namespace timbre::data
