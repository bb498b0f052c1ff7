#include "data/store_layout.hpp"

#include <algorithm>
#include <charconv>
#include <string>
#include <utility>

#include "config/settings.hpp"
#include "core/error.hpp"
#include "core/hash.hpp"
#include "core/text.hpp"
#include "data/row_source.hpp"
#include "storage/door.hpp"
#include "storage/hdf5.hpp"

namespace timbre::data {

namespace fs = std::filesystem;

namespace {

constexpr const char* schema_name = "timbre-features";
constexpr std::int64_t schema_version = 1;
constexpr std::int64_t copy_floats = std::int64_t{1} << 20;  // of one copied block, at least one row

std::string shown(const fs::path& path) { return printable(path.string()); }

void write_parameters(storage::H5File& file, const FeatureTable& table, const DatasetOptions& dataset,
                      const features::FeatureOptions& options) {
  file.attribute("/", "schema", schema_name);
  file.attribute("/", "schema_version", schema_version);
  file.attribute("/", "version", TIMBRE_VERSION);
  file.attribute("/", "key", table.key);
  file.attribute("/", "synthetic", table.synthetic);
  file.attribute("/", "device", table.device);
  file.attribute("/", "feature_version", std::int64_t{features::feature_version});
  if (options.external) {
    file.attribute("/", "kind", "external");
    auto node = schema(config::of<features::ExternalOptions>{}).dump(*options.external);
    for (auto& [name, value] : node.entries)
      file.attribute("/", name, value.is_scalar() ? value.scalar : first_line(config::to_yaml(value)));
    return;
  }
  file.attribute("/", "segment_seconds", dataset.segment_seconds);
  file.attribute("/", "segment_samples", dataset.segment_samples(options.sample_rate));
  const auto parameters = options.dump();
  if (!options.stack.empty()) file.attribute("/", "kind", features::name_of(options));
  for (const auto& [name, node] : parameters.entries) {
    if (name == "standardise") continue;  // done in training; these numbers are as extracted
    const char *begin = node.scalar.data(), *end = begin + node.scalar.size();
    std::int64_t whole = 0;
    double number = 0;
    if (node.is_null()) {
      file.attribute("/", name, "none");
    } else if (!node.is_scalar()) {
      file.attribute("/", name, config::flow(&node));
    } else if (!node.quoted && (node.scalar == "true" || node.scalar == "false")) {
      file.attribute("/", name, node.scalar == "true");
    } else if (!node.quoted && std::from_chars(begin, end, whole).ptr == end) {
      file.attribute("/", name, whole);
    } else if (!node.quoted && std::from_chars(begin, end, number).ptr == end) {
      file.attribute("/", name, number);
    } else {
      file.attribute("/", name, node.scalar);
    }
  }
}

void write_table(storage::H5File& file, const FeatureTable& table) {
  const auto clips = static_cast<std::int64_t>(table.clips.size());
  file.write("/label", std::span<const std::int32_t>(table.label), {table.rows()});
  file.write("/clip", std::span<const std::int32_t>(table.clip), {table.rows()});
  file.write("/segment", std::span<const std::int32_t>(table.segment), {table.rows()});
  std::vector<std::string> paths, groups, bad_paths, reasons;
  std::vector<std::int32_t> labels;
  for (const auto& clip : table.clips)
    paths.push_back(clip.path), labels.push_back(clip.label), groups.push_back(clip.group);
  for (const auto& bad : table.bad_files) bad_paths.push_back(bad.path), reasons.push_back(bad.reason);
  file.write_texts("/clips/path", paths);
  file.write("/clips/label", std::span<const std::int32_t>(labels), {clips});
  file.write_texts("/clips/group", groups);
  file.write_texts("/label_names", table.label_names);
  if (!table.names.columns.empty()) {  // of earlier versions: no such group
    std::vector<std::string> values;
    for (const auto& clip : table.clips)
      values.insert(values.end(), clip.columns.begin(), clip.columns.end());
    file.write_texts("/clips/column_names", table.names.columns);
    file.write_texts("/clips/columns", values);
  }
  file.write_texts("/bad_files/path", bad_paths);
  file.write_texts("/bad_files/reason", reasons);
}

/// What a store file says of its rows.
struct StoreContent {
  std::string device, checksum;  // of the features alone
  std::vector<std::int32_t> label, clip, segment;
  std::vector<std::string> paths, bad_paths, reasons;
  std::vector<std::int64_t> extents;
  std::int64_t offset = 0;
};
template <class A>
void travel(A& parcel, StoreContent& s) {
  parcel(s.device, s.checksum, s.label, s.clip, s.segment, s.paths, s.bad_paths, s.reasons, s.extents,
         s.offset);
}

StoreContent read_content(const fs::path& path, const std::string& key) {
  const auto file = storage::H5File::open(path);
  if (!file.has_attribute("/", "schema") || file.text_attribute("/", "schema") != schema_name ||
      file.int_attribute("/", "schema_version") != schema_version || file.text_attribute("/", "key") != key)
    fail("{}: is not the store of these features", shown(path));
  StoreContent s;
  if (file.has_attribute("/", "device")) s.device = file.text_attribute("/", "device");
  s.checksum = file.text_attribute("/", "checksum");
  s.label = file.read_ints("/label"), s.clip = file.read_ints("/clip"),
  s.segment = file.read_ints("/segment");
  s.paths = file.read_texts("/clips/path"), s.bad_paths = file.read_texts("/bad_files/path"),
  s.reasons = file.read_texts("/bad_files/reason");
  s.extents = file.shape("/features").extents();
  s.offset = file.rows_offset("/features");
  return s;
}

}  // namespace

std::int64_t rows_at_once(std::int64_t row_size) { return std::max<std::int64_t>(1, copy_floats / row_size); }

std::int64_t write_feature_layout(storage::AtomicFile& target, const FeatureTable& table,
                                  const DatasetOptions& dataset, const features::FeatureOptions& options,
                                  const std::optional<fs::path>& dataset_path, const RowGiver& rows) {
  auto file = storage::H5File::create(target);
  write_parameters(file, table, dataset, options);
  if (dataset_path) file.attribute("/", "dataset", dataset_path->string());
  write_table(file, table);
  file.create_rows("/features", {table.rows(), table.shape[0], table.shape[1]});
  Hasher hasher;
  std::int64_t written = 0;
  rows([&](std::span<const float> block) {
    file.write_rows("/features", written, block);
    hasher.bytes(block.data(), block.size_bytes());
    written += std::ssize(block) / table.shape.size();
  });
  file.attribute("/", "checksum", hasher.hex());
  const auto offset = file.rows_offset("/features");
  file.close();
  target.commit();
  return offset;
}

void read_store(const fs::path& path, const ClipIndex& index, FeatureTable& table,
                const Destination* destination, const ExtractionHooks& hooks) {
  const auto demand = [&](bool holds, std::string_view what) {
    if (!holds) fail("{}: {}", shown(path), what);
  };
  const bool whole = storage::is_trusted(path, storage::own_file);
  auto content = storage::read_here_or_in_child(whole, path, [&] { return read_content(path, table.key); });
  table.device = std::move(content.device);
  table.label = std::move(content.label), table.clip = std::move(content.clip),
  table.segment = std::move(content.segment);
  table.rows_offset = content.offset;
  const auto &paths = content.paths, &bad_paths = content.bad_paths, &reasons = content.reasons;
  demand(bad_paths.size() == reasons.size() && paths.size() + bad_paths.size() == index.clips.size(),
         "holds another number of clips");
  table.clips.clear(), table.bad_files.clear();
  for (const auto& clip : index.clips) {  // both lists keep the order of the index
    const auto good = table.clips.size(), bad = table.bad_files.size();
    if (good < paths.size() && paths[good] == clip.path) {
      table.clips.push_back(clip);
    } else {
      demand(bad < bad_paths.size() && bad_paths[bad] == clip.path, "holds other clips");
      table.bad_files.push_back({bad_paths[bad], reasons[bad]});
    }
  }
  const auto rows = table.rows(), row_size = table.shape.size();
  demand(std::ssize(table.clip) == rows && std::ssize(table.segment) == rows,
         "has columns of different lengths");
  for (std::size_t i = 0; i < table.label.size(); ++i)
    demand(table.clip[i] >= 0 && std::size_t(table.clip[i]) < table.clips.size() && table.segment[i] >= 0 &&
               table.clips[std::size_t(table.clip[i])].label == table.label[i],
           "has rows of no clip");
  demand(Shape(content.extents) == Shape({rows, table.shape[0], table.shape[1]}),
         "has features of another shape");

  const StoreRows stored(path, rows, row_size, table.rows_offset);
  const bool kept = destination && rows * row_size * std::int64_t(sizeof(float)) <= destination->largest;
  auto* const features = kept ? destination->features : nullptr;
  if (whole && !features) return;
  Hasher hasher;
  std::vector<float> block;
  if (features) features->resize(static_cast<std::size_t>(rows * row_size));
  const auto step = rows_at_once(row_size);
  for (std::int64_t first = 0; first < rows; first += step) {
    if (hooks.check) hooks.check();
    const auto size = static_cast<std::size_t>(std::min(step, rows - first) * row_size);
    if (!features) block.resize(size);
    const auto out =
        features ? std::span(*features).subspan(std::size_t(first * row_size), size) : std::span(block);
    stored.read_rows(first, out);
    if (!whole) hasher.bytes(out.data(), out.size_bytes());
  }
  demand(whole || content.checksum == hasher.hex(), "has features that do not match their checksum");
}

}  // namespace timbre::data
