#include "data/clip_contents.hpp"

#include <sys/stat.h>

#include <map>
#include <string_view>

#include "core/error.hpp"
#include "core/hash.hpp"
#include "core/text.hpp"
#include "data/external.hpp"
#include "data/extraction.hpp"

namespace timbre::data {

namespace fs = std::filesystem;

namespace {

FileStamp stamp_of(const fs::path& file) {
  struct stat s {};
  if (::stat(file.c_str(), &s) != 0) return {};
  return {true, s.st_dev, s.st_ino, s.st_size, s.st_mtim.tv_sec, s.st_mtim.tv_nsec};
}

}  // namespace

ClipContents read_contents(const ClipIndex& index, ThreadPool& pool, const ExtractionHooks& hooks) {
  ClipContents out{std::vector<std::string>(index.clips.size()), std::vector<FileStamp>(index.clips.size())};
  if (index.synthetic || index.external) return out;  // of a table, its own hash is known
  pool.parallel_for(std::ssize(index.clips), [&](std::int64_t i, int) {
    if (hooks.check) hooks.check();
    const auto& file = index.clips[std::size_t(i)].file;
    out.stamps[std::size_t(i)] = stamp_of(file);  // first: a change while it is read must show
    out.hashes[std::size_t(i)] = hash_of_file(file);
  });
  return out;
}

void require_unchanged(const ClipIndex& index, const ClipContents& contents) {
  if (index.synthetic || index.external) return;
  for (std::size_t i = 0; i < index.clips.size(); ++i) {
    const auto now = stamp_of(index.clips[i].file);
    if (now != contents.stamps[i])
      fail("{}: {} while the features were extracted", printable(index.clips[i].file.string()),
           now.there ? "changed" : "vanished");
  }
}

std::string key_of(const ClipIndex& index, const DatasetOptions& dataset,
                   const features::FeatureOptions& options, const std::vector<std::string>& hashes) {
  Hasher hasher;
  hasher.text(features::extraction_key(options));
  if (index.external)
    hasher.text(index.external->hash);
  else
    hasher.text(std::to_string(dataset.segment_samples(options.sample_rate)));
  if (dataset.segment)
    hasher.text(config::to_yaml(schema(config::of<SegmentOptions>{}).dump(*dataset.segment)));
  if (index.synthetic)
    hasher.text("synthetic\n" + config::to_yaml(audio::synthetic_identity(*dataset.synthetic)));
  for (std::size_t i = 0; i < index.clips.size(); ++i) {
    const auto& clip = index.clips[i];
    hasher.text(clip.path).text(index.label_names[std::size_t(clip.label)]).text(hashes[i]);
  }
  return hasher.hex();
}

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

}  // namespace timbre::data
