#include "data/split.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <numeric>
#include <set>
#include <unordered_map>
#include <utility>

#include "core/error.hpp"
#include "core/philox.hpp"
#include "core/text.hpp"
#include "data/clip_lists.hpp"
#include "data/feature_store.hpp"
#include "data/split_deal.hpp"

namespace timbre::data {

namespace {

constexpr std::array<const char*, 3> part_names{"train", "validation", "test"};
enum Part : int { none = -1, train = 0, validation = 1, test = 2 };

/// What must not be shared between parts.
struct Group {
  std::vector<std::int32_t> rows;
  std::int32_t label = 0;  // the class most rows belong to; the lowest of several
};

class Splitter {
 public:
  Splitter(const SplitOptions& options, const std::vector<Clip>& clips,
           const std::vector<std::string>& label_names, std::span<const std::int32_t> row_clip,
           std::uint64_t run_seed, const std::vector<std::string>& bad_paths, bool lenient)
      : options_(options),
        clips_(clips),
        label_names_(label_names),
        row_clip_(row_clip),
        seed_(options.seed ? static_cast<std::uint64_t>(*options.seed) : run_seed),
        bad_paths_(bad_paths),
        lenient_(lenient),
        part_(row_clip.size(), none) {}

  Split run() {
    find_artists();
    const bool by_files = options_.lists || !options_.train.list.empty();
    const bool by_manifest = options_.folds && std::any_of(clips_.begin(), clips_.end(),
                                                           [](const Clip& c) { return c.fold >= 0; });
    if (by_files) {
      follow_lists();
    } else if (by_manifest) {
      follow_fold_column();
    } else {
      deal_groups();
    }
    if ((by_files || by_manifest) && options_.group_by != "clip")
      note("group_by: {} does not apply: {} decide", options_.group_by,
           by_files ? "the lists" : "the manifest's folds");
    collect_rows();
    check_parts(by_files);
    measure_shares();
    return std::move(split_);
  }

 private:
  template <class... A>
  void note(fmt::format_string<A...> format, A&&... args) {
    split_.notes.push_back(fmt::format(format, std::forward<A>(args)...));
  }
  std::int32_t label_of(std::int32_t row) const {
    return clips_[std::size_t(row_clip_[std::size_t(row)])].label;
  }
  std::string class_name(std::size_t label) const { return printable(label_names_[label]); }

  void find_artists() {
    if (options_.groups) {
      artists_ = groups_of_clips(*options_.groups, clips_, label_names_);
    } else {
      for (const auto& clip : clips_) artists_.push_back(clip.group);
    }
    const auto unknown = std::count(artists_.begin(), artists_.end(), "");
    if (options_.group_by == "artist" && unknown == std::ssize(artists_))
      fail_request(
          "split.group_by: artist needs artists: split.groups (Sturm's index.txt, or CSV with the columns "
          "path,group), or a group column in the manifest{}",
          options_.groups ? "; " + printable(options_.groups->string()) + " knows none of the clips" : "");
    if ((options_.group_by == "artist" || options_.groups) && unknown > 0)
      note("{} of {} clips have no known artist{}", unknown, artists_.size(),
           options_.group_by == "artist" ? "; each is a group of its own" : "");
  }

  // ---- given parts

  void follow_lists() {
    const auto files =
        options_.lists ? std::array{options_.lists->train, options_.lists->validation, options_.lists->test}
                       : std::array{options_.train.list, options_.validation.list, options_.test.list};
    const ClipNames names(clips_, label_names_);
    std::vector<Clip> bad(bad_paths_.size());
    for (std::size_t i = 0; i < bad.size(); ++i) bad[i].path = bad_paths_[i];
    const ClipNames bad_names(bad, {""});
    ListStatistics statistics;
    struct Place {
      int part = none, line = 0;
    };
    std::vector<Place> placed(clips_.size());
    for (int p = 0; p < 3; ++p) {
      const auto& file = files[std::size_t(p)];
      for (const auto& entry : read_list(file)) {
        ++statistics.entries;
        const auto found = names.find(entry.name);
        if (found.empty())
          ++(bad_names.find(entry.name).empty() ? statistics.not_on_disk : statistics.unreadable);
        std::set<std::string_view> stems;
        for (const auto i : found) stems.insert(without_audio_extension(clips_[std::size_t(i)].path));
        if (stems.size() > 1)
          fail_request("{}:{}: '{}' may be {}; write <genre>/<clip>", printable(file.string()), entry.line,
                       printable(entry.name), printable(fmt::format("{}", fmt::join(stems, " or "))));
        for (const auto i : found) {
          auto& place = placed[std::size_t(i)];
          if (place.part != none && place.part != p)
            fail_request("{}:{}: '{}' stands in {}:{} already; a clip belongs to one part",
                         printable(file.string()), entry.line, printable(entry.name),
                         printable(files[std::size_t(place.part)].string()), place.line);
          place = {p, entry.line};
        }
      }
    }
    for (std::size_t row = 0; row < part_.size(); ++row)
      part_[row] = placed[std::size_t(row_clip_[row])].part;
    statistics.in_no_list =
        std::count_if(placed.begin(), placed.end(), [](const Place& place) { return place.part == none; });
    if (statistics.not_on_disk > 0)
      note("{} of {} list entries are not on disk", statistics.not_on_disk, statistics.entries);
    if (statistics.unreadable > 0)
      note("{} of {} list entries are clips that cannot be used", statistics.unreadable, statistics.entries);
    if (statistics.in_no_list > 0)
      note("{} of {} clips are in no list and take no part", statistics.in_no_list, clips_.size());
    split_.lists = statistics;
  }

  Part part_of_fold(std::int64_t fold) const {
    if (fold == options_.fold) return test;
    return fold == (options_.fold + 1) % *options_.folds ? validation : train;
  }

  void follow_fold_column() {
    for (const auto& clip : clips_)
      if (clip.fold < 0 || clip.fold >= *options_.folds)
        fail_request(
            "split.folds: {}: '{}' has {} in the manifest's fold column; {} folds are numbered 0 to {}",
            *options_.folds, printable(clip.path), clip.fold < 0 ? "nothing" : std::to_string(clip.fold),
            *options_.folds, *options_.folds - 1);
    for (std::size_t row = 0; row < part_.size(); ++row)
      part_[row] = part_of_fold(clips_[std::size_t(row_clip_[row])].fold);
  }

  // ---- dealing

  std::vector<Group> make_groups() const {
    std::vector<Group> groups;
    std::unordered_map<std::string, std::size_t> number_of;
    for (std::size_t row = 0; row < row_clip_.size(); ++row) {
      const auto clip = static_cast<std::size_t>(row_clip_[row]);
      // Clips and artists are told apart by the first character.
      auto key = options_.group_by == "segment"                             ? fmt::format("s{}", row)
                 : options_.group_by == "artist" && !artists_[clip].empty() ? "a" + artists_[clip]
                                                                            : fmt::format("c{}", clip);
      const auto [it, is_new] = number_of.emplace(std::move(key), groups.size());
      if (is_new) groups.emplace_back();
      groups[it->second].rows.push_back(static_cast<std::int32_t>(row));
    }
    for (auto& group : groups) {
      std::map<std::int32_t, std::int64_t> rows_of;
      for (const auto row : group.rows) ++rows_of[label_of(row)];
      group.label = std::max_element(rows_of.begin(), rows_of.end(), [](const auto& a, const auto& b) {
                      return a.second < b.second;
                    })->first;
    }
    return groups;
  }

  void require_three_groups(const std::vector<Group>& groups) const {
    std::vector<std::set<std::size_t>> groups_of(label_names_.size());
    for (std::size_t g = 0; g < groups.size(); ++g)
      for (const auto row : groups[g].rows) groups_of[std::size_t(label_of(row))].insert(g);
    for (std::size_t c = 0; c < groups_of.size(); ++c)
      if (!groups_of[c].empty() && groups_of[c].size() < 3)
        fail_request(
            "split: the class '{}' has {} {}{}; train, validation and test need at least 3 to share "
            "(more of them, or stratify: false)",
            class_name(c), groups_of[c].size(), options_.group_by, groups_of[c].size() == 1 ? "" : "s");
  }

  void deal_groups() {
    const auto groups = make_groups();
    if (options_.stratify && !lenient_) require_three_groups(groups);
    const auto folds = options_.folds.value_or(0);
    std::vector<double> fractions{options_.train.fraction, options_.validation.fraction,
                                  options_.test.fraction};
    if (folds) fractions.assign(std::size_t(folds), 1.0 / folds);
    const double sum = std::accumulate(fractions.begin(), fractions.end(), 0.0);
    for (auto& f : fractions) f /= sum;  // 0.333333 three times is meant to be everything
    // Artists differ in size; clips are counted as one each, whatever their length.
    std::vector<std::int64_t> sizes;
    for (const auto& g : groups) sizes.push_back(options_.group_by == "artist" ? std::ssize(g.rows) : 1);

    std::size_t offset = 0;  // the fold where the next class's surplus begins, so that folds stay even
    const auto classes = options_.stratify ? label_names_.size() : std::size_t{1};
    for (std::size_t c = 0; c < classes; ++c) {
      std::vector<std::int32_t> order;
      for (std::size_t g = 0; g < groups.size(); ++g)
        if (!options_.stratify || groups[g].label == static_cast<std::int32_t>(c))
          order.push_back(std::int32_t(g));
      PhiloxSequence random(seed_, stream::split, static_cast<std::uint32_t>(c));
      for (auto i = order.size(); i > 1; --i) std::swap(order[i - 1], order[random.below(i)]);
      std::vector<std::int64_t> counts;
      if (folds) {
        const auto whole = std::ssize(order) / folds, surplus = std::ssize(order) % folds;
        counts.assign(std::size_t(folds), whole);
        for (std::int64_t k = 0; k < surplus; ++k) ++counts[offset++ % std::size_t(folds)];
      } else {
        counts = largest_remainder(std::ssize(order), fractions);
      }
      const auto parts = deal(order, sizes, counts, fractions);
      for (std::size_t i = 0; i < order.size(); ++i) {
        const int p = folds ? part_of_fold(parts[i]) : parts[i];
        for (const auto row : groups[std::size_t(order[i])].rows) part_[std::size_t(row)] = p;
      }
    }
  }

  // ---- what came of it

  void collect_rows() {
    for (std::size_t row = 0; row < part_.size(); ++row) {
      if (part_[row] == none) continue;
      (part_[row] == train        ? split_.train
       : part_[row] == validation ? split_.validation
                                  : split_.test)
          .push_back(static_cast<std::int32_t>(row));
    }
  }

  void check_parts(bool by_files) {
    if (lenient_) return;
    const std::array parts{&split_.train, &split_.validation, &split_.test};
    for (std::size_t p = 0; p < 3; ++p)
      if (parts[p]->empty())
        fail_request(
            "split: the {} part is empty{}", part_names[p],
            by_files ? ": none of the clips its list names is there" : "; there are too few groups to share");
    std::vector<std::array<bool, 3>> has(label_names_.size());
    std::vector<bool> present(label_names_.size(), false);
    for (std::size_t row = 0; row < part_.size(); ++row) {
      const auto label = static_cast<std::size_t>(label_of(std::int32_t(row)));
      present[label] = true;
      if (part_[row] != none) has[label][std::size_t(part_[row])] = true;
    }
    for (std::size_t p = 0; p < 3; ++p) {
      std::vector<std::string> missing;
      for (std::size_t c = 0; c < has.size(); ++c)
        if (present[c] && !has[c][p]) missing.push_back(class_name(c));
      if (missing.empty()) continue;
      if (p == train && !by_files)
        fail_request(
            "split: train holds nothing of {}; nothing can be learned about it (more clips, other fractions, "
            "or another seed)",
            join(missing));
      note("{} holds nothing of {}", part_names[p], join(missing));
    }
  }

  void measure_shares() {
    std::vector<std::array<bool, 2>> in(clips_.size());  // of each clip: in train, in test
    for (std::size_t row = 0; row < part_.size(); ++row)
      if (part_[row] == train || part_[row] == test)
        in[std::size_t(row_clip_[row])][part_[row] == test] = true;
    std::set<std::string_view> heard;
    for (std::size_t i = 0; i < in.size(); ++i)
      if (in[i][0] && !artists_[i].empty()) heard.insert(artists_[i]);
    std::int64_t clips = 0, leaked = 0, known = 0, familiar = 0;
    for (std::size_t i = 0; i < in.size(); ++i) {
      if (!in[i][1]) continue;
      ++clips, leaked += in[i][0];
      if (!artists_[i].empty()) ++known, familiar += heard.contains(artists_[i]);
    }
    if (clips) split_.clip_share_in_train = double(leaked) / double(clips);
    if (known) split_.artist_share_in_train = double(familiar) / double(known);
    split_.leaks = leaked > 0;
    if (leaked)
      note("the split leaks: {} of {} test clips ({:.0f}%) have segments in train; test figures are too good",
           leaked, clips, 100 * split_.clip_share_in_train);
    if (familiar)
      note("{} of {} test clips ({:.1f}%) are by artists who are also in train{}", familiar, known,
           100 * split_.artist_share_in_train,
           options_.group_by == "artist" ? "" : " (group_by: artist avoids it)");
  }

  const SplitOptions& options_;
  const std::vector<Clip>& clips_;
  const std::vector<std::string>& label_names_;
  std::span<const std::int32_t> row_clip_;
  std::uint64_t seed_;
  const std::vector<std::string>& bad_paths_;
  bool lenient_;
  std::vector<int> part_;             // of each row
  std::vector<std::string> artists_;  // of each clip; empty where unknown
  Split split_;
};

}  // namespace

std::vector<std::int64_t> largest_remainder(std::int64_t count, std::span<const double> fractions) {
  // 0.6 * 10 must be 6 whatever the last bit of 0.6 says, and remainders that differ in it are equal.
  constexpr double tolerance = 1e-7;
  std::vector<std::int64_t> out;
  std::vector<double> remainder;
  std::int64_t left = count;
  for (const double f : fractions) {
    const double quota = f * double(count);
    out.push_back(static_cast<std::int64_t>(std::floor(quota + tolerance)));
    remainder.push_back(quota - double(out.back()));
    left -= out.back();
  }
  std::vector<bool> raised(out.size(), false);
  for (; left > 0; --left) {
    std::size_t best = out.size();
    for (std::size_t p = 0; p < out.size(); ++p)
      if (!raised[p] && (best == out.size() || remainder[p] > remainder[best] + tolerance)) best = p;
    if (best == out.size()) best = 0;  // fractions that do not add up to 1
    raised[best] = true, ++out[best];
  }
  return out;
}

Split make_split(const SplitOptions& options, const std::vector<Clip>& clips,
                 const std::vector<std::string>& label_names, std::span<const std::int32_t> row_clip,
                 std::uint64_t run_seed, const std::vector<std::string>& bad_paths) {
  return Splitter(options, clips, label_names, row_clip, run_seed, bad_paths, false).run();
}

Split make_split(const SplitOptions& options, const FeatureTable& table, std::uint64_t run_seed) {
  std::vector<std::string> bad_paths;
  for (const auto& bad : table.bad_files) bad_paths.push_back(bad.path);
  return make_split(options, table.clips, table.label_names, table.clip, run_seed, bad_paths);
}

Split preview_split(const SplitOptions& options, const ClipIndex& index, std::uint64_t run_seed) {
  std::vector<std::int32_t> rows(index.clips.size());
  std::iota(rows.begin(), rows.end(), 0);
  const bool lenient = options.group_by == "segment";
  return Splitter(options, index.clips, index.label_names, rows, run_seed, {}, lenient).run();
}

}  // namespace timbre::data
