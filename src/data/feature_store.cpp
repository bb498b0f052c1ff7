#include "data/feature_store.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <system_error>
#include <utility>

#include "core/error.hpp"
#include "core/hash.hpp"
#include "core/text.hpp"
#include "data/extraction.hpp"
#include "data/row_source.hpp"
#include "data/store_files.hpp"
#include "storage/atomic_file.hpp"
#include "storage/door.hpp"
#include "storage/hdf5.hpp"

namespace timbre::data {

namespace fs = std::filesystem;

namespace {

constexpr const char* schema_name = "timbre-features";
constexpr std::int64_t schema_version = 1;
constexpr std::int64_t copy_floats = std::int64_t{1} << 20;  // of one copied block, at least one row

std::string shown(const fs::path& path) { return printable(path.string()); }

/// Rows copied at a time.
std::int64_t block_rows(std::int64_t row_size) { return std::max<std::int64_t>(1, copy_floats / row_size); }

// ---- keys

/// What tells that a file is no longer the one that was hashed.
struct Stamp {
  bool there = false;
  std::uint64_t device = 0, number = 0;
  std::int64_t size = 0, seconds = 0, nanoseconds = 0;
  bool operator==(const Stamp&) const = default;
};
Stamp stamp_of(const fs::path& file) {
  struct stat s {};
  if (::stat(file.c_str(), &s) != 0) return {};
  return {true, s.st_dev, s.st_ino, s.st_size, s.st_mtim.tv_sec, s.st_mtim.tv_nsec};
}

/// Of each clip; empty for synthetic ones.
struct Contents {
  std::vector<std::string> hashes;
  std::vector<Stamp> stamps;
};
Contents read_contents(const ClipIndex& index, ThreadPool& pool, const ExtractionHooks& hooks) {
  Contents out{std::vector<std::string>(index.clips.size()), std::vector<Stamp>(index.clips.size())};
  if (index.synthetic) return out;
  pool.parallel_for(std::ssize(index.clips), [&](std::int64_t i, int) {
    if (hooks.check) hooks.check();
    const auto& file = index.clips[std::size_t(i)].file;
    out.stamps[std::size_t(i)] = stamp_of(file);  // first: a change while it is read must show
    out.hashes[std::size_t(i)] = hash_of_file(file);
  });
  return out;
}

/// The key speaks of the files as they were hashed: rows of others must not be stored under it.
void require_unchanged(const ClipIndex& index, const Contents& contents) {
  if (index.synthetic) return;
  for (std::size_t i = 0; i < index.clips.size(); ++i) {
    const auto now = stamp_of(index.clips[i].file);
    if (now != contents.stamps[i])
      fail("{}: {} while the features were extracted", shown(index.clips[i].file),
           now.there ? "changed" : "vanished");
  }
}

std::string key_of(const ClipIndex& index, const DatasetOptions& dataset,
                   const features::FeatureOptions& options, const std::vector<std::string>& hashes) {
  Hasher hasher;
  hasher.text(features::extraction_key(options));
  hasher.text(std::to_string(dataset.segment_samples(options.sample_rate)));
  if (index.synthetic)
    hasher.text("synthetic\n" + config::to_yaml(audio::synthetic_identity(*dataset.synthetic)));
  for (std::size_t i = 0; i < index.clips.size(); ++i) {
    const auto& clip = index.clips[i];
    hasher.text(clip.path).text(index.label_names[std::size_t(clip.label)]).text(hashes[i]);
  }
  return hasher.hex();
}

/// A note about clips that are the same file under several names.
void note_replicas(const ClipIndex& index, const std::vector<std::string>& hashes,
                   std::vector<std::string>& notes) {
  std::map<std::string_view, std::size_t> first;
  std::vector<std::string> pairs;
  for (std::size_t i = 0; i < hashes.size(); ++i) {
    if (hashes[i].empty()) continue;
    const auto [it, is_new] = first.emplace(hashes[i], i);
    if (!is_new) pairs.push_back(printable(index.clips[it->second].path + " = " + index.clips[i].path));
  }
  if (pairs.empty()) return;
  const auto count = pairs.size();
  if (count > 3) pairs.resize(3), pairs.push_back("...");
  notes.push_back(
      fmt::format("{} {} the same bytes as another ({}): splits by clip or artist keep them together, lists "
                  "and folds may not",
                  count, count == 1 ? "clip holds" : "clips hold", join(pairs)));
}

// ---- writing

void write_parameters(storage::H5File& file, const FeatureTable& table, const DatasetOptions& dataset,
                      const features::FeatureOptions& options) {
  file.attribute("/", "schema", schema_name);
  file.attribute("/", "schema_version", schema_version);
  file.attribute("/", "version", TIMBRE_VERSION);
  file.attribute("/", "key", table.key);
  file.attribute("/", "synthetic", table.synthetic);
  file.attribute("/", "device", table.device);
  file.attribute("/", "feature_version", std::int64_t{features::feature_version});
  file.attribute("/", "segment_seconds", dataset.segment_seconds);
  file.attribute("/", "segment_samples", dataset.segment_samples(options.sample_rate));
  for (const auto& [name, node] : schema(config::of<features::FeatureOptions>{}).dump(options).entries) {
    if (name == "standardise") continue;  // done in training; these numbers are as extracted
    const char *begin = node.scalar.data(), *end = begin + node.scalar.size();
    std::int64_t whole = 0;
    double number = 0;
    if (!node.is_scalar()) {
      file.attribute("/", name, "none");
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
  file.write_texts("/bad_files/path", bad_paths);
  file.write_texts("/bad_files/reason", reasons);
}

// ---- reading

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

/// Where features are read to, if they are no larger than `largest` bytes.
struct Destination {
  std::vector<float>* features;
  std::int64_t largest;
};

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

/// Fills the table (and the features, if asked for) from a store file. Throws Error where the file is not what its
/// name says; the index tells what must be in it.
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
  const auto step = block_rows(row_size);
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

// ---- the store

/// Extracts into the store file table.file.
void build_store(const ClipIndex& index, const Contents& contents, const DatasetOptions& dataset,
                 const features::FeatureOptions& options, ThreadPool& pool, const ExtractionHooks& hooks,
                 FeatureTable& table) {
  const auto folder = table.file.parent_path();
  storage::remove_temporaries(folder);
  const Extraction extraction(index, dataset, options, folder, pool, hooks, dataset.on_bad_file == "error");
  require_unchanged(index, contents);
  table.device = hooks.device;
  table.label.clear(), table.clip.clear(), table.segment.clear(), table.clips.clear(),
      table.bad_files.clear();
  std::vector<std::size_t> source;  // of each good clip, its number in the index
  for (std::size_t i = 0; i < index.clips.size(); ++i) {
    const auto& rows = extraction.clips()[i];
    const auto& clip = index.clips[i];
    if (!rows.reason.empty()) table.bad_files.push_back({clip.path, rows.reason});
    if (rows.count == 0) continue;
    table.label.insert(table.label.end(), std::size_t(rows.count), clip.label);
    table.clip.insert(table.clip.end(), std::size_t(rows.count),
                      static_cast<std::int32_t>(table.clips.size()));
    for (std::int64_t s = 0; s < rows.count; ++s) table.segment.push_back(static_cast<std::int32_t>(s));
    table.clips.push_back(clip);
    source.push_back(i);
  }
  require_good_clips(table, dataset);
  if (table.rows() > std::numeric_limits<std::int32_t>::max())
    fail("dataset: {} segments are more than the {} that rows are numbered with", grouped(table.rows()),
         grouped(std::numeric_limits<std::int32_t>::max()));

  storage::AtomicFile atomic(table.file, storage::Links::replace);
  auto file = storage::H5File::create(atomic);
  write_parameters(file, table, dataset, options);
  write_table(file, table);
  const auto row_size = table.shape.size(), step = block_rows(row_size);
  file.create_rows("/features", {table.rows(), table.shape[0], table.shape[1]});
  Hasher hasher;
  std::vector<float> block;
  std::int64_t written = 0;
  for (const auto i : source) {
    const auto count = extraction.clips()[i].count;
    for (std::int64_t first = 0; first < count; first += step) {
      if (hooks.check) hooks.check();
      const auto n = std::min(step, count - first);
      block.resize(static_cast<std::size_t>(n * row_size));
      extraction.read(i, first, block);
      file.write_rows("/features", written, block);
      hasher.bytes(block.data(), block.size() * sizeof(float));
      written += n;
    }
  }
  file.attribute("/", "checksum", hasher.hex());
  table.rows_offset = file.rows_offset("/features");
  file.close();
  atomic.commit();
}

/// Reads the store file if it is there and sound; notes what is wrong with one that is not.
bool try_store(const ClipIndex& index, FeatureTable& table, const Destination* features,
               const ExtractionHooks& hooks) {
  std::error_code error;
  if (!fs::exists(table.file, error)) return false;
  try {
    read_store(table.file, index, table, features, hooks);
    return true;
  } catch (const Interrupted&) {
    throw;
  } catch (const Error& e) {
    table.notes.push_back(fmt::format("{}; the features are extracted again", e.what()));
    return false;
  }
}

void prepare(const ClipIndex& index, const DatasetOptions& dataset, const features::FeatureOptions& options,
             const fs::path& store_folder, ThreadPool& pool, const ExtractionHooks& hooks,
             FeatureTable& table, const Destination* features) {
  table.shape = features::feature_shape(options, dataset.segment_samples(options.sample_rate));
  require_synthetic_rate(index, options);
  const auto contents = read_contents(index, pool, hooks);
  table.key = key_of(index, dataset, options, contents.hashes);
  const auto name = hooks.device == "cpu" ? table.key : table.key + "-" + hooks.device;
  table.file = store_folder / (name + ".h5");
  table.label_names = index.label_names;
  table.synthetic = index.synthetic;
  note_replicas(index, contents.hashes, table.notes);

  table.from_cache = try_store(index, table, features, hooks);
  if (table.from_cache) {
    remove_dead_lock(store_folder, name);
  } else {
    const KeyLock lock(store_folder, name, hooks.check);
    auto fresh = table;  // another process may have made it while this one waited
    fresh.notes.clear();
    if (try_store(index, fresh, features, hooks)) {
      fresh.notes = table.notes;
      table = std::move(fresh);
      table.from_cache = true;
    } else {
      build_store(index, contents, dataset, options, pool, hooks, table);
      if (features) read_store(table.file, index, table, features, hooks);
    }
  }
  require_good_clips(table, dataset);
}

}  // namespace

std::string content_key(const ClipIndex& index, const DatasetOptions& dataset,
                        const features::FeatureOptions& options, ThreadPool& pool,
                        const ExtractionHooks& hooks) {
  return key_of(index, dataset, options, read_contents(index, pool, hooks).hashes);
}

FeatureTable prepare_features(const ClipIndex& index, const DatasetOptions& dataset,
                              const features::FeatureOptions& options, const fs::path& store_folder,
                              ThreadPool& pool, const ExtractionHooks& hooks) {
  FeatureTable table;
  prepare(index, dataset, options, store_folder, pool, hooks, table, nullptr);
  return table;
}

FeatureSet load_features(const ClipIndex& index, const DatasetOptions& dataset,
                         const features::FeatureOptions& options, const fs::path& store_folder,
                         ThreadPool& pool, const ExtractionHooks& hooks, std::int64_t largest_bytes) {
  FeatureSet set;
  const Destination destination{&set.features, largest_bytes};
  prepare(index, dataset, options, store_folder, pool, hooks, set, &destination);
  return set;
}

void write_feature_file(const fs::path& target, const FeatureTable& table, const DatasetOptions& dataset,
                        const features::FeatureOptions& options) {
  const StoreRows source(table.file, table.rows(), table.shape.size(), table.rows_offset);
  storage::AtomicFile atomic(target);
  auto file = storage::H5File::create(atomic);
  write_parameters(file, table, dataset, options);
  if (const auto& from = dataset.path ? dataset.path : dataset.manifest)
    file.attribute("/", "dataset", from->string());
  write_table(file, table);
  const auto rows = table.rows(), row_size = table.shape.size(), step = block_rows(row_size);
  file.create_rows("/features", {rows, table.shape[0], table.shape[1]});
  Hasher hasher;
  std::vector<float> block;
  for (std::int64_t first = 0; first < rows; first += step) {
    block.resize(static_cast<std::size_t>(std::min(step, rows - first) * row_size));
    source.read_rows(first, block);
    file.write_rows("/features", first, block);
    hasher.bytes(block.data(), block.size() * sizeof(float));
  }
  file.attribute("/", "checksum", hasher.hex());
  file.close();
  atomic.commit();
}

}  // namespace timbre::data
