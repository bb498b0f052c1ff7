#include "features/external.hpp"

#include <fmt/format.h>

#include "config/schema.hpp"
#include "core/text.hpp"

namespace timbre::features {

namespace {

constexpr int most_frames = 1 << 20, most_width = 1 << 20;

std::string problem_with(const ExternalOptions& o) {
  if (o.file.paths.empty()) return "file is missing (the table of features)";
  if (o.rows == "clips" && o.rows_per_clip) return "rows: clips and rows_per_clip exclude each other";
  if (o.ids && o.rows_per_clip) return "ids and rows_per_clip exclude each other; give one of them";
  if (!o.summary.empty() && o.frames && *o.frames != 1)
    return "frames and summary exclude each other: a summary is over all frames";
  if (o.summary.size() > 2 || (o.summary.size() == 2 && o.summary[0] == o.summary[1]))
    return "summary names mean and std, each once";
  return "";
}

}  // namespace

TableFiles TableFiles::from(const config::Reader& reader) {
  TableFiles out;
  if (!reader.node().is_sequence()) {
    out.paths.push_back(reader.path_value());
    return out;
  }
  for (std::size_t i = 0; i < reader.node().items.size(); ++i)
    out.paths.push_back(reader.item(i).path_value());
  if (out.paths.empty()) reader.fail("names no file");
  return out;
}

config::Type TableFiles::describe() {
  return config::Type::either(
      {{config::Type::Kind::path}, config::Type::sequence({config::Type::Kind::path})});
}

config::Node TableFiles::dump() const {
  if (paths.size() == 1) return config::Node::text(paths.front().string());
  auto node = config::Node::sequence();
  for (const auto& p : paths) node.items.push_back(config::Node::text(p.string()));
  return node;
}

const config::Schema<ExternalOptions>& schema(config::of<ExternalOptions>) {
  using O = ExternalOptions;
  static const auto s =
      config::Schema<O>("a table of features that another program computed")
          .required(
              "file", &O::file,
              "the table: CSV, NPY, NPZ, HDF5 (Timbre's own or another's), or JSON {mapping, labels, mfcc}. "
              "Of several files the rows follow each other")
          .later_field("format", &O::format, "what kind of file it is. null: by its ending",
                       config::choice_of({{"csv", "a table with a line of column names (also .tsv and .txt)"},
                                          {"npy", "one array of NumPy"},
                                          {"npz", "arrays of NumPy, stored or deflated; no pickles"},
                                          {"hdf5", "data sets, named by their paths"},
                                          {"json", "{mapping: [...], labels: [...], mfcc: [[[...]]]}"}}))
          .field("columns", &O::columns,
                 "CSV: the columns that are features. Empty: all that are nothing else")
          .field("drop", &O::drop, "CSV: columns that are not used")
          .later_field("features", &O::features,
                       "the array, data set or key that holds the features, [rows, width] or [rows, frames, "
                       "width]. null: X, features, embeddings, mfcc or the only array")
          .later_field(
              "labels", &O::labels,
              "the column, array or data set of labels (texts, or whole numbers). null: label or labels, Y "
              "or y; else the folder of the ID")
          .later_field(
              "ids", &O::ids,
              "the column, array or data set that tells whose clip a row is, as <genre>/<stem> or a file "
              "name. null: path, filename, id, ids or IDS")
          .later_field("groups", &O::groups, "the column, array or data set of groups (artists)")
          .field("label_names", &O::label_names, "names of labels that are numbers, from 0 on")
          .later_field(
              "separator", &O::separator,
              "CSV: what is between fields. null: the one of , ; and tab that the first line has most of",
              config::one_of({",", ";", "\t", "|"}))
          .field("rows", &O::rows, "what a row is",
                 config::choice_of({{"segments", "a segment of its clip; rows of one ID are one clip"},
                                    {"clips", "a whole clip; an ID that comes twice is an error"},
                                    {"frames", "a frame of its clip, whose rows are one sequence"}}))
          .later_field(
              "rows_per_clip", &O::rows_per_clip,
              "without IDs: so many rows, one after the other, are one clip. null: 10 in JSON, else 1",
              config::between(1, 1'000'000))
          .later_field(
              "frames", &O::frames,
              "frames of a segment: longer ones are cropped, shorter ones padded. null: as many as the "
              "longest has",
              config::between(1, most_frames))
          .field("pad", &O::pad, "what a padded segment ends in",
                 config::choice_of({{"constant", "zeros"}, {"repeat", "its own frames over again"}}))
          .field("summary", &O::summary, "mean, std or both over the frames, instead of the frames",
                 config::one_of({"mean", "std"}))
          .later_field("width", &O::width, "numbers of a frame, once they are known; a check",
                       config::between(1, most_width))
          .check(problem_with);
  return s;
}

std::string extraction_key(const ExternalOptions& options) {
  auto node = schema(config::of<ExternalOptions>{}).dump(options);
  node.erase("file");  // the table's content is hashed elsewhere
  return "external version 1\n" + config::to_yaml(node);
}

std::string needs(const ExternalOptions& options) {
  std::vector<std::string> names;
  for (const auto& p : options.file.paths) names.push_back(p.filename().string());
  const auto width = options.width.value_or(0);
  const auto values = options.frames.value_or(1) == 1
                          ? fmt::format("{} numbers", width)
                          : fmt::format("{} frames of {} numbers", *options.frames, width);
  return printable(
      fmt::format("features from elsewhere, {} a segment, as {} has them", values, join(names, " and ")));
}

}  // namespace timbre::features
