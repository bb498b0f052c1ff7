#include "data/external.hpp"

#include <algorithm>
#include <limits>
#include <numeric>
#include <unordered_map>
#include <utility>

#include "core/error.hpp"
#include "core/text.hpp"
#include "data/clip_lists.hpp"
#include "data/tables/table_rows.hpp"

namespace timbre::data {

namespace {

using features::ExternalOptions;

/// An ID as a path: slashes one way, none in front.
std::string tidy_id(std::string id) {
  std::replace(id.begin(), id.end(), '\\', '/');
  while (id.starts_with("./")) id.erase(0, 2);
  while (id.starts_with('/')) id.erase(0, 1);
  return id;
}

class Indexer {
 public:
  Indexer(const DatasetOptions& dataset, const ExternalOptions& options)
      : dataset_(dataset),
        options_(options),
        all_(read_tables(options)),
        clip_of_(std::size_t(all_.rows), -1) {}

  ClipIndex index() {
    if (dataset_.path || dataset_.manifest)
      join();
    else
      make_clips();
    bundle();
    set_shape();
    find_copies();
    rows_.columns = std::move(all_.columns);
    rows_.hash = all_.content, rows_.table_rows = all_.rows;
    auto& notes = index_.notes;
    notes.insert(notes.end(), all_.notes.begin(), all_.notes.end());
    notes.insert(notes.end(), rows_.rebuilt.begin(), rows_.rebuilt.end());
    index_.external = std::make_shared<const ExternalRows>(std::move(rows_));
    return std::move(index_);
  }

 private:
  // ---- clips that the table itself names
  void make_clips() {
    index_.root = std::filesystem::absolute(options_.file.paths.front()).lexically_normal().parent_path();
    if (all_.label.empty()) labels_of_folders();
    index_.label_names = all_.label_names;
    if (all_.ids.empty())
      clips_in_a_row();
    else
      clips_by_id();
    sort_labels();
    if (dataset_.labels) apply_labels(*dataset_.labels, index_);
    require_classes(index_, dataset_.labels ? "dataset.labels" : "features.external.labels",
                    dataset_.labels ? "what is kept" : all_.shown.front());
    sort_clips(index_);
    for (std::size_t i = 1; i < index_.clips.size(); ++i)
      if (index_.clips[i].path == index_.clips[i - 1].path)
        fail_request("{}: two IDs are the clip '{}'", all_.shown.front(), printable(index_.clips[i].path));
    // Clips have changed places, and some have gone.
    std::vector<std::int32_t> place(clips_made_, -1);
    for (std::size_t i = 0; i < index_.clips.size(); ++i)
      place[std::size_t(std::exchange(index_.clips[i].number, 0))] = std::int32_t(i);
    for (auto& c : clip_of_) c = place[std::size_t(c)];
  }

  void labels_of_folders() {
    if (all_.ids.empty())
      fail_request("{}: has neither labels nor IDs; features.external.labels names the labels",
                   all_.shown.front());
    LabelNumbers numbers(all_);
    for (std::int64_t r = 0; r < all_.rows; ++r) {
      const auto path = std::filesystem::path(tidy_id(all_.ids[std::size_t(r)]));
      if (!path.has_parent_path())
        fail_request(
            "{}: has no label: features.external.labels names none, and the ID '{}' has no folder <genre>/",
            all_.place(r), printable(all_.ids[std::size_t(r)]));
      numbers.add(path.parent_path().filename().string(), [&] { return all_.place(r); });
    }
  }

  std::int32_t add_clip(std::string path, std::int64_t row) {
    Clip clip;
    clip.path = std::move(path);
    clip.label = all_.label[std::size_t(row)];
    if (!all_.groups.empty()) clip.group = all_.groups[std::size_t(row)];
    clip.number = std::int32_t(clips_made_++);
    index_.clips.push_back(std::move(clip));
    return index_.clips.back().number;
  }

  void clips_by_id() {
    std::unordered_map<std::string, std::pair<std::int32_t, std::int64_t>> known;  // clip, its first row
    for (std::int64_t r = 0; r < all_.rows; ++r) {
      auto id = tidy_id(std::move(all_.ids[std::size_t(r)]));
      const auto label = all_.label[std::size_t(r)];
      const auto [it, fresh] = known.try_emplace(std::move(id), std::int32_t(clips_made_), r);
      const auto [clip, first] = it->second;
      if (fresh) {
        const auto& name = it->first;
        add_clip(name.find('/') == name.npos ? all_.label_names[std::size_t(label)] + "/" + name : name, r);
      } else if (const auto before = all_.label[std::size_t(first)]; before != label) {
        fail_request("{}: the ID '{}' has the label '{}', but '{}' in {}", all_.place(r),
                     printable(it->first), printable(all_.label_names[std::size_t(label)]),
                     printable(all_.label_names[std::size_t(before)]), all_.place(first));
      } else if (options_.rows == "clips") {
        fail_twice(r, it->first, first);
      } else if (!all_.groups.empty() && all_.groups[std::size_t(r)] != all_.groups[std::size_t(first)]) {
        fail_request("{}: the ID '{}' has the group '{}', but '{}' in {}", all_.place(r),
                     printable(it->first), printable(all_.groups[std::size_t(r)]),
                     printable(all_.groups[std::size_t(first)]), all_.place(first));
      }
      clip_of_[std::size_t(r)] = clip;
    }
    all_.ids = {};
  }

  [[noreturn]] void fail_twice(std::int64_t row, const std::string& id, std::int64_t first) const {
    fail_request("{}: the ID '{}' is in {} already (rows: segments takes several rows of a clip)",
                 all_.place(row), printable(id), all_.place(first));
  }

  /// So many rows of one label, one after the other, are a clip.
  void clips_in_a_row() {
    const std::int64_t size =
        options_.rows == "clips" ? 1 : options_.rows_per_clip.value_or(all_.is_json ? 10 : 1);
    std::vector<std::int64_t> count(all_.label_names.size(), 0);
    std::int64_t uneven = 0, in_clip = 0;
    for (std::int64_t r = 0; r < all_.rows; ++r) {
      const auto label = std::size_t(all_.label[std::size_t(r)]);
      const bool other = r == 0 || all_.label[std::size_t(r - 1)] != all_.label[std::size_t(r)] ||
                         std::binary_search(all_.file_begin.begin(), all_.file_begin.end(), r);
      if (other || in_clip == size) {
        uneven += r > 0 && in_clip != size;
        in_clip = 0;
        add_clip(fmt::format("{}/clip.{:05}", all_.label_names[label], count[label]++), r);
      }
      ++in_clip;
      clip_of_[std::size_t(r)] = std::int32_t(clips_made_) - 1;
    }
    uneven += in_clip != size;
    rows_.rebuilt.push_back(
        size == 1
            ? fmt::format(
                  "clips: the table names none; each of its {} rows is taken for a clip of its own, and "
                  "rows of one song may be in several parts",
                  grouped(all_.rows))
            : fmt::format(
                  "clips: the table names none; each {} rows in a row of one label are taken for a clip "
                  "({} clips rebuilt)",
                  size, grouped(std::int64_t(clips_made_))));
    if (uneven > 0)
      rows_.rebuilt.push_back(
          fmt::format("clips: {} of the rebuilt clips have fewer than {} rows: where rows are missing inside "
                      "a class, clips may be "
                      "shifted, and neighbours may share a song",
                      uneven, size));
  }

  /// Labels in the order of their bytes.
  void sort_labels() {
    std::vector<std::int32_t> order(index_.label_names.size()), place(order.size());
    std::iota(order.begin(), order.end(), 0);
    std::sort(order.begin(), order.end(), [&](auto a, auto b) {
      return index_.label_names[std::size_t(a)] < index_.label_names[std::size_t(b)];
    });
    // Names without a clip (of a mapping) are no classes.
    std::vector<bool> used(order.size(), false);
    for (const auto& c : index_.clips) used[std::size_t(c.label)] = true;
    std::vector<std::string> names;
    for (const auto l : order)
      if (used[std::size_t(l)]) {
        place[std::size_t(l)] = std::int32_t(names.size());
        names.push_back(index_.label_names[std::size_t(l)]);
      }
    for (auto& c : index_.clips) c.label = place[std::size_t(c.label)];
    index_.label_names = std::move(names);
  }

  // ---- clips of a data set, found by their names
  void join() {
    index_ = index_clips(dataset_);
    const auto key = dataset_.path ? "dataset.path" : "dataset.manifest";
    if (all_.ids.empty())
      fail_at("features.external.ids", "{} has no IDs by which its rows find the clips of {}",
              all_.shown.front(), key);
    const ClipNames names(index_.clips, index_.label_names);
    std::vector<std::int64_t> first(index_.clips.size(), -1);
    std::int64_t strangers = 0, stranger = -1;
    std::string last;
    std::int32_t last_clip = -1;
    for (std::int64_t r = 0; r < all_.rows; ++r) {
      auto id = tidy_id(std::move(all_.ids[std::size_t(r)]));
      if (r == 0 || id != last) last_clip = find_clip(names, id, r);
      last = std::move(id);
      clip_of_[std::size_t(r)] = last_clip;
      if (last_clip < 0) {
        if (strangers++ == 0) stranger = r, stranger_ = last;
        continue;
      }
      auto& seen = first[std::size_t(last_clip)];
      if (seen >= 0 && options_.rows == "clips") fail_twice(r, last, seen);
      if (seen < 0) seen = r;
      require_same_label(r, last_clip, last);
    }
    if (strangers == all_.rows)
      fail_request("{}: no row has the ID of a clip of {}; the first ID is '{}', the first clip {}",
                   all_.place(stranger), key, printable(stranger_), printable(index_.clips.front().path));
    if (strangers > 0)
      index_.notes.push_back(fmt::format("{} of {} rows of the table are of no clip of {} (first: '{}')",
                                         grouped(strangers), grouped(all_.rows), key, printable(stranger_)));
  }

  std::int32_t find_clip(const ClipNames& names, const std::string& id, std::int64_t row) const {
    const auto found = names.find(id);
    for (const auto i : found)
      if (without_audio_extension(index_.clips[std::size_t(i)].path) !=
          without_audio_extension(index_.clips[std::size_t(found[0])].path))
        fail_request("{}: '{}' may be {} or {}; write <genre>/<clip>", all_.place(row), printable(id),
                     printable(index_.clips[std::size_t(found[0])].path),
                     printable(index_.clips[std::size_t(i)].path));
    return found.empty() ? -1 : found.front();
  }

  void require_same_label(std::int64_t row, std::int32_t clip, const std::string& id) const {
    if (all_.label.empty() || dataset_.labels) return;
    const auto& here = all_.label_names[std::size_t(all_.label[std::size_t(row)])];
    const auto& there = index_.label_names[std::size_t(index_.clips[std::size_t(clip)].label)];
    // Numbers are no names: they say nothing of the data set's labels.
    if (here != there && here.find_first_not_of("0123456789") != here.npos)
      fail_request("{}: '{}' has the label '{}', but '{}' in the data set", all_.place(row), printable(id),
                   printable(here), printable(there));
  }

  // ---- rows of the store
  void bundle() {
    const auto clips = index_.clips.size();
    std::vector<std::int64_t> at(clips + 1, 0);
    for (const auto c : clip_of_)
      if (c >= 0) ++at[std::size_t(c) + 1];
    std::partial_sum(at.begin(), at.end(), at.begin());
    rows_.members.resize(static_cast<std::size_t>(at.back()));
    auto next = at;
    for (std::int64_t r = 0; r < all_.rows; ++r)
      if (const auto c = clip_of_[std::size_t(r)]; c >= 0)
        rows_.members[std::size_t(next[std::size_t(c)]++)] = std::int32_t(r);
    rows_.begin.push_back(0);
    for (std::size_t c = 0; c < clips; ++c) {
      const auto members = at[c + 1] - at[c];
      const auto bundles = options_.rows == "frames" ? std::int64_t(members > 0) : members;
      for (std::int64_t s = 0; s < bundles; ++s) {
        rows_.clip.push_back(std::int32_t(c)), rows_.segment.push_back(std::int32_t(s));
        rows_.begin.push_back(options_.rows == "frames" ? at[c + 1] : at[c] + s + 1);
      }
    }
  }

  void set_shape() {
    rows_.width = all_.width, rows_.frames = all_.frames;
    std::int64_t longest = 0, shortest = std::numeric_limits<std::int64_t>::max(), shorter = 0, longer = 0;
    const std::int64_t wanted = options_.summary.empty() ? options_.frames.value_or(0) : 0;
    for (std::int64_t i = 0; i < rows_.rows(); ++i) {
      std::int64_t frames = 0;
      for (auto m = rows_.begin[std::size_t(i)]; m < rows_.begin[std::size_t(i) + 1]; ++m)
        frames += all_.frames_of(rows_.members[std::size_t(m)]);
      longest = std::max(longest, frames), shortest = std::min(shortest, frames);
      shorter += wanted > 0 && frames<wanted, longer += wanted> 0 && frames > wanted;
    }
    const auto frames = !options_.summary.empty() ? 1 : wanted > 0 ? wanted : longest;
    const auto width =
        options_.summary.empty() ? all_.width : all_.width * std::int64_t(options_.summary.size());
    if (options_.width && *options_.width != width)
      fail_at("features.external.width", "{} numbers a frame are expected, but {} gives {}", *options_.width,
              all_.shown.front(), width);
    if (frames > (1 << 20) || frames > (std::int64_t{1} << 26) / width)
      fail_at("features.external", "a segment of {} frames of {} numbers is too large; frames: N crops it",
              grouped(frames), grouped(width));
    rows_.shape = Shape({frames, width});
    if (options_.summary.empty() && wanted == 0 && shortest < longest)
      index_.notes.push_back(
          fmt::format("segments of {} to {} frames are padded to {} (features.external.frames says "
                      "another length)",
                      shortest, longest, longest));
    if (shorter + longer > 0)
      index_.notes.push_back(fmt::format("to {} frames: {} of {} segments are padded, {} cropped", wanted,
                                         grouped(shorter), grouped(rows_.rows()), grouped(longer)));
  }

  /// Clips all of whose numbers are equal.
  void find_copies() {
    std::unordered_map<std::uint64_t, std::size_t> first;
    std::vector<std::uint64_t> sum(index_.clips.size(), 0);
    std::vector<std::int64_t> values(index_.clips.size(), 0);
    for (std::int64_t i = 0; i < rows_.rows(); ++i)
      for (auto m = rows_.begin[std::size_t(i)]; m < rows_.begin[std::size_t(i) + 1]; ++m) {
        const auto row = rows_.members[std::size_t(m)];
        const auto c = std::size_t(rows_.clip[std::size_t(i)]);
        if (all_.hashes[std::size_t(row)] == 0) continue;
        sum[c] = (sum[c] ^ all_.hashes[std::size_t(row)]) * 0x9E3779B97F4A7C15u + 1;
        values[c] += all_.width * all_.frames_of(row);
      }
    for (std::size_t c = 0; c < sum.size(); ++c) {
      if (values[c] < 16) continue;
      const auto [it, fresh] = first.emplace(sum[c], c);
      if (!fresh && values[it->second] == values[c])
        rows_.related.pairs.push_back({index_.clips[it->second].path, index_.clips[c].path, true, 0, 0});
    }
    rows_.related.looked = true;
    if (!rows_.related.pairs.empty())
      index_.notes.push_back(
          fmt::format("{} of clips have the same numbers, and are taken for copies; near duplicates "
                      "cannot be found without the sound",
                      counted(std::int64_t(rows_.related.pairs.size()), "pair")));
  }

  const DatasetOptions& dataset_;
  const ExternalOptions& options_;
  TableRows all_;
  std::vector<std::int32_t> clip_of_;  // [rows of the table]; -1: of none
  std::size_t clips_made_ = 0;
  std::string stranger_;
  ClipIndex index_;
  ExternalRows rows_;
};

}  // namespace

ClipIndex index_clips(const DatasetOptions& dataset, const features::FeatureOptions& options) {
  if (!options.external) {
    if (dataset.external && *dataset.external)
      fail_at("dataset.external", "features.external names no table");
    return index_clips(dataset);
  }
  if (dataset.synthetic) fail_at("dataset.synthetic", "synthetic clips have no features from elsewhere");
  if (dataset.segment) fail_at("dataset.segment", "features from elsewhere are not cut into segments");
  return named_by("features.external.file", [&] { return Indexer(dataset, *options.external).index(); });
}

void resolve_external(features::FeatureOptions& options, const ClipIndex& index) {
  if (!options.external || !index.external) return;
  constexpr std::size_t most_names = 1000;
  if (const auto& columns = index.external->columns; !columns.empty() && columns.size() <= most_names)
    options.external->columns = columns, options.external->drop.clear();
  options.external->frames = int(index.external->shape[0]);
  options.external->width = int(index.external->shape[1]);
}

void fill_rows(const ClipIndex& index, FeatureTable& table) {
  const auto& rows = *index.external;
  table.label.clear(), table.clip.clear(), table.segment.clear(), table.clips.clear(),
      table.bad_files.clear();
  std::size_t at = 0;
  for (std::size_t c = 0; c < index.clips.size(); ++c) {
    if (at == rows.clip.size() || rows.clip[at] != std::int32_t(c)) {
      table.bad_files.push_back({index.clips[c].path, "the table has no row of it"});
      continue;
    }
    for (; at < rows.clip.size() && rows.clip[at] == std::int32_t(c); ++at) {
      table.label.push_back(index.clips[c].label);
      table.clip.push_back(std::int32_t(table.clips.size()));
      table.segment.push_back(rows.segment[at]);
    }
    table.clips.push_back(index.clips[c]);
  }
}

}  // namespace timbre::data
