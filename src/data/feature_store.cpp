#include "data/feature_store.hpp"

#include <algorithm>
#include <limits>
#include <memory>
#include <optional>
#include <system_error>
#include <utility>

#include "core/error.hpp"
#include "core/hash.hpp"
#include "core/text.hpp"
#include "data/clip_contents.hpp"
#include "data/external.hpp"
#include "data/extraction.hpp"
#include "data/row_source.hpp"
#include "data/store_files.hpp"
#include "data/store_layout.hpp"
#include "data/waveform_copies.hpp"
#include "device/backend.hpp"
#include "storage/atomic_file.hpp"

namespace timbre::data {

namespace fs = std::filesystem;

namespace {

/// The kind of device that computes them.
std::string where(const ExtractionHooks& hooks, const features::FeatureOptions& options) {
  return device::backend_of(features::computed_on(hooks.device, options));
}

/// Extracts into the store file table.file.
void build_store(const ClipIndex& index, const ClipContents& contents, const DatasetOptions& dataset,
                 const features::FeatureOptions& options, ThreadPool& pool, const ExtractionHooks& hooks,
                 const WaveformCopy* copy, FeatureTable& table) {
  const auto folder = table.file.parent_path();
  storage::remove_temporaries(folder);
  if (index.external) {
    build_external_store(index, dataset, options, hooks, table);
    return;
  }
  const Extraction extraction(index, dataset, options, folder, pool, hooks, dataset.on_bad_file == "error",
                              copy);
  require_unchanged(index, contents);
  table.device = where(hooks, options);
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

  storage::AtomicFile file(table.file, storage::Links::replace);
  const auto row_size = table.shape.size(), step = rows_at_once(row_size);
  table.rows_offset =
      write_feature_layout(file, table, dataset, options, std::nullopt, [&](const auto& take) {
        std::vector<float> block;
        for (const auto i : source) {
          const auto count = extraction.clips()[i].count;
          for (std::int64_t first = 0; first < count; first += step) {
            if (hooks.check) hooks.check();
            block.resize(static_cast<std::size_t>(std::min(step, count - first) * row_size));
            extraction.read(i, first, block);
            take(block);
          }
        }
      });
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

/// How many copies there are changes none of them.
std::string key_of_copy(const std::string& key, const WaveformCopy& copy) {
  auto changes = schema(config::of<audio::WaveformOptions>{}).dump(copy.options);
  changes.erase("copies");
  return Hasher()
      .text("timbre-waveform-copy 1")
      .text(key)
      .text(config::to_yaml(changes))
      .text(std::to_string(copy.number))
      .hex();
}

void prepare(const ClipIndex& index, const DatasetOptions& dataset, const features::FeatureOptions& options,
             const fs::path& store_folder, ThreadPool& pool, const ExtractionHooks& hooks,
             FeatureTable& table, const Destination* features,
             const audio::WaveformOptions* waveform = nullptr, int number = 0) {
  table.shape = features::feature_shape(options, dataset.segment_samples(options.sample_rate));
  require_synthetic_rate(index, options);
  const auto contents = read_contents(index, pool, hooks);
  table.key = key_of(index, dataset, options, contents.hashes);
  std::optional<WaveformCopy> copy;
  if (waveform) {
    copy.emplace(*waveform, std::uint32_t(number), contents.hashes);
    table.key = key_of_copy(table.key, *copy);
  }
  const auto kind = where(hooks, options);
  const auto name = kind == "cpu" || index.external ? table.key : table.key + "-" + kind;
  table.file = store_folder / (name + ".h5");
  table.label_names = index.label_names;
  table.names = index.names;
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
      build_store(index, contents, dataset, options, pool, hooks, copy ? &*copy : nullptr, table);
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

FeatureSet load_copy(const audio::WaveformOptions& waveform, int copy, const ClipIndex& index,
                     const DatasetOptions& dataset, const features::FeatureOptions& options,
                     const fs::path& store_folder, ThreadPool& pool, const ExtractionHooks& hooks,
                     std::int64_t largest_bytes) {
  FeatureSet set;
  const Destination destination{&set.features, largest_bytes};
  prepare(index, dataset, options, store_folder, pool, hooks, set, &destination, &waveform, copy);
  return set;
}

void write_feature_file(const fs::path& target, const FeatureTable& table, const DatasetOptions& dataset,
                        const features::FeatureOptions& options) {
  const StoreRows source(table.file, table.rows(), table.shape.size(), table.rows_offset);
  const auto rows = table.rows(), row_size = table.shape.size(), step = rows_at_once(row_size);
  storage::AtomicFile file(target);
  write_feature_layout(file, table, dataset, options, dataset.path ? dataset.path : dataset.manifest,
                       [&](const auto& take) {
                         std::vector<float> block;
                         for (std::int64_t first = 0; first < rows; first += step) {
                           block.resize(static_cast<std::size_t>(std::min(step, rows - first) * row_size));
                           source.read_rows(first, block);
                           take(block);
                         }
                       });
}

}  // namespace timbre::data
