#include "data/split_lists.hpp"

#include <algorithm>
#include <array>
#include <set>
#include <string_view>

#include "core/error.hpp"
#include "core/text.hpp"
#include "data/clip_lists.hpp"

namespace timbre::data {

namespace {

struct Place {
  int part = no_part, line = 0;
};

class Lists {
 public:
  Lists(const SplitOptions& options, const std::vector<Clip>& clips,
        const std::vector<std::string>& label_names, const std::vector<std::string>& bad_paths)
      : clips_(clips), names_(clips, label_names), bad_names_(named(bad_paths), {""}), places_(clips.size()) {
    if (options.lists)
      files_ = {options.lists->train, options.lists->validation.value_or(""), options.lists->test};
    else
      files_ = {options.train.list, options.validation.list, options.test.list};
  }

  bool gives(int part) const { return !files_[std::size_t(part)].empty(); }

  void read(int part) {
    for (const auto& entry : read_list(files_[std::size_t(part)])) {
      ++statistics_.entries;
      const auto found = names_.find(entry.name);
      if (found.empty())
        ++(bad_names_.find(entry.name).empty() ? statistics_.not_on_disk : statistics_.unreadable);
      require_one_clip(part, entry, found);
      for (const auto clip : found) give(part, entry, places_[std::size_t(clip)]);
    }
  }

  ListedParts parts() {
    ListedParts out;
    for (const auto& place : places_) out.part.push_back(place.part);
    statistics_.in_no_list = std::count(out.part.begin(), out.part.end(), no_part);
    out.statistics = statistics_;
    return out;
  }

 private:
  static std::vector<Clip> named(const std::vector<std::string>& paths) {
    std::vector<Clip> out(paths.size());
    for (std::size_t i = 0; i < out.size(); ++i) out[i].path = paths[i];
    return out;
  }

  std::string source(int part) const { return printable(files_[std::size_t(part)].string()); }

  /// A name may fit one clip in several formats, but not several clips.
  void require_one_clip(int part, const ListEntry& entry, const std::vector<std::int32_t>& found) const {
    std::set<std::string_view> stems;
    for (const auto i : found) stems.insert(without_audio_extension(clips_[std::size_t(i)].path));
    if (stems.size() > 1)
      fail_request("{}:{}: '{}' may be {}; write <genre>/<clip>", source(part), entry.line,
                   printable(entry.name), printable(fmt::format("{}", fmt::join(stems, " or "))));
  }

  void give(int part, const ListEntry& entry, Place& place) const {
    if (place.part != no_part && place.part != part)
      fail_request("{}:{}: '{}' stands in {}:{} already; a clip belongs to one part", source(part),
                   entry.line, printable(entry.name), source(place.part), place.line);
    place = {part, entry.line};
  }

  const std::vector<Clip>& clips_;
  std::array<std::filesystem::path, 3> files_;
  ClipNames names_, bad_names_;
  std::vector<Place> places_;
  ListStatistics statistics_;
};

}  // namespace

ListedParts parts_by_lists(const SplitOptions& options, const std::vector<Clip>& clips,
                           const std::vector<std::string>& label_names,
                           const std::vector<std::string>& bad_paths) {
  Lists lists(options, clips, label_names, bad_paths);
  for (int part = 0; part < 3; ++part)
    if (lists.gives(part))
      named_by((options.lists ? "split.lists." : "split.") + std::string(part_names[std::size_t(part)]),
               [&] { lists.read(part); });
  return lists.parts();
}

}  // namespace timbre::data
