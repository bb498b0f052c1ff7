#include "data/survey.hpp"

#include <cmath>
#include <fstream>
#include <iterator>
#include <memory>
#include <mutex>

#include "core/error.hpp"
#include "data/external.hpp"
#include "data/extraction.hpp"
#include "data/fingerprint_match.hpp"
#include "data/store_files.hpp"
#include "storage/atomic_file.hpp"

namespace timbre::data {

namespace fs = std::filesystem;

namespace {

/// Where it is kept; nowhere, if no folder is given.
fs::path file_of(const fs::path& folder, const std::string& hash) {
  return folder.empty() ? fs::path() : folder / hash.substr(0, 2) / (hash + ".fingerprint");
}

bool read_kept(const fs::path& file, const std::string& hash, Fingerprint& out) {
  constexpr std::size_t most = std::size_t{1} << 26;  // a week of sound
  if (file.empty()) return false;
  const auto bytes = storage::read_own_file(file, most);
  return bytes && unpack(*bytes, hash, out);
}

/// Not of a file that cannot be read: the next time it may be, with another version of a library, say.
void keep(const fs::path& file, const std::string& hash, const Fingerprint& print) {
  if (file.empty() || !print.reason.empty()) return;
  try {
    storage::write_file(file, pack(print, hash), storage::Links::replace);
  } catch (const Error&) {
    // It is made again the next time.
  }
}

std::vector<Fingerprint> fingerprints(const ClipIndex& index, const fs::path& folder, ThreadPool& pool,
                                      const ExtractionHooks& hooks) {
  std::vector<Fingerprint> out(index.clips.size());
  std::vector<std::unique_ptr<Fingerprinter>> workers(std::size_t(pool.threads()));
  std::mutex progress_lock;
  std::int64_t done = 0;
  bool made = false;
  pool.parallel_for(std::ssize(index.clips), [&](std::int64_t i, int thread) {
    if (hooks.check) hooks.check();
    const auto& file = index.clips[std::size_t(i)].file;
    auto& print = out[std::size_t(i)];
    const auto hash = hash_of_file(file);
    const bool known = !hash.empty() && read_kept(file_of(folder, hash), hash, print);
    if (!known) {
      auto& worker = workers[std::size_t(thread)];
      if (!worker) worker = std::make_unique<Fingerprinter>();
      print = worker->of(file);
      // A file that changed while it was read must not be kept under the hash it had.
      if (!hash.empty() && hash_of_file(file) == hash) keep(file_of(folder, hash), hash, print);
    }
    const std::lock_guard lock(progress_lock);
    made |= !known && print.reason.empty(), ++done;  // a file that cannot be read takes no time
    if (hooks.progress && made) hooks.progress(done, std::ssize(index.clips));
  });
  return out;
}

/// Samples that `frames` come to at another rate.
std::int64_t resampled(std::int64_t frames, int from, int to) {
  return from == to ? frames : std::llround(double(frames) * to / from);
}

/// Why a clip cannot be read, or its samples at the rate of the features.
std::pair<std::string, std::int64_t> length_of(const ClipIndex& index, std::size_t clip,
                                               const DatasetOptions& dataset, int sample_rate,
                                               const Survey& survey) {
  if (index.synthetic)
    return {"", std::llround(dataset.synthetic->clip_seconds * audio::synthetic_sample_rate)};
  const auto& file = survey.files[clip];
  if (!file.reason.empty()) return {file.reason, 0};
  return {"", resampled(file.frames, file.sample_rate, sample_rate)};
}

}  // namespace

Survey survey_clips(const ClipIndex& index, const fs::path& folder, ThreadPool& pool,
                    const ExtractionHooks& hooks) {
  Survey out;
  if (index.external) out.related = index.external->related;
  if (index.synthetic || index.external) return out;
  const auto prints = fingerprints(index, folder, pool, hooks);
  for (const auto& p : prints) out.files.push_back({p.reason, p.frames, p.sample_rate});
  out.related.looked = true;
  for (const auto& m : match_fingerprints(prints, pool, hooks.check))
    out.related.pairs.push_back({index.clips[std::size_t(m.a)].path, index.clips[std::size_t(m.b)].path,
                                 m.same_audio, m.error_rate, m.offset_seconds});
  return out;
}

SegmentCounts count_segments(const ClipIndex& index, const DatasetOptions& dataset, int sample_rate,
                             const Survey& survey) {
  SegmentCounts out;
  if (index.external) return out;
  const auto cutting = dataset.cutting(sample_rate);
  for (std::size_t i = 0; i < index.clips.size(); ++i)
    if (const auto [reason, samples] = length_of(index, i, dataset, sample_rate, survey); reason.empty())
      out.add(cutting.cut(samples), sample_rate);
  return out;
}

FeatureTable expected_table(const ClipIndex& index, const DatasetOptions& dataset,
                            const features::FeatureOptions& options, const Survey& survey) {
  FeatureTable table;
  const auto cutting = dataset.cutting(options.sample_rate);
  table.label_names = index.label_names;
  table.names = index.names;
  table.synthetic = index.synthetic;
  table.related = survey.related;
  if (index.external) {
    fill_rows(index, table);
    require_good_clips(table, dataset);
    return table;
  }
  require_synthetic_rate(index, options);
  for (std::size_t i = 0; i < index.clips.size(); ++i) {
    const auto& clip = index.clips[i];
    auto [reason, samples] = length_of(index, i, dataset, options.sample_rate, survey);
    const auto cut = cutting.cut(samples);
    if (reason.empty()) table.cuts.add(cut, options.sample_rate);
    if (reason.empty() && cut.count == 0) {
      reason = too_short(samples, cutting.samples, dataset.segment_seconds, options.sample_rate);
      if (dataset.segment && dataset.segment->short_clips == "error")
        fail_at("dataset.segment.short", "error: {}: {}", printable(clip.path), reason);
    }
    if (!reason.empty()) {
      table.bad_files.push_back({clip.path, reason});
      continue;
    }
    const auto count = cut.count;
    for (std::int64_t s = 0; s < count; ++s) {
      table.label.push_back(clip.label);
      table.clip.push_back(std::int32_t(table.clips.size()));
      table.segment.push_back(std::int32_t(s));
    }
    table.clips.push_back(clip);
  }
  require_good_clips(table, dataset);
  return table;
}

}  // namespace timbre::data
