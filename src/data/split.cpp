#include "data/split.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <set>
#include <utility>

#include "core/error.hpp"
#include "core/philox.hpp"
#include "core/text.hpp"
#include "data/clip_lists.hpp"
#include "data/feature_store.hpp"
#include "data/split_deal.hpp"
#include "data/split_even.hpp"
#include "data/split_lists.hpp"
#include "data/split_units.hpp"

namespace timbre::data {

namespace {

enum Part : int { none = no_part, train = 0, validation = 1, test = 2 };

class Splitter {
 public:
  Splitter(const SplitOptions& options, const std::vector<Clip>& clips,
           const std::vector<std::string>& label_names, std::span<const std::int32_t> row_clip,
           std::uint64_t run_seed, const std::vector<std::string>& bad_paths, const Relations& related,
           const ManifestNames& names)
      : options_(options),
        clips_(clips),
        label_names_(label_names),
        row_clip_(row_clip),
        seed_(options.seed ? static_cast<std::uint64_t>(*options.seed) : run_seed),
        bad_paths_(bad_paths),
        names_(names),
        looked_(related.looked),
        related_(pairs_among(clips, related.pairs)),
        part_(row_clip.size(), none) {}

  /// Throws what is wrong with the request itself.
  void check() {
    find_artists();
    find_groups();
    if (by_files())
      follow_lists();
    else if (by_manifest())
      follow_fold_column();
    else if (options_.stratify && options_.group_by != "segment")
      require_three_groups(groups_of(row_clip_));
  }

  Split run() {
    find_artists();
    find_groups();
    const bool by_files = this->by_files(), by_manifest = this->by_manifest();
    if (by_files) {
      follow_lists();
    } else if (by_manifest) {
      follow_fold_column();
    } else {
      deal_groups();
    }
    if (((by_files && !folds_inside()) || by_manifest) && (options_.by || options_.group_by != "clip"))
      note("{}: {} does not apply: {} decide", options_.by ? "by" : "group_by", unit_name(),
           by_files ? "the lists" : "the manifest's folds");
    if (!by_manifest && has_folds())
      note("the manifest's fold column is not used{}",
           names_.folds.empty() ? "" : fmt::format(" (split.folds: {} follows it)", names_.folds.size()));
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
  bool by_files() const { return options_.lists || !options_.train.list.empty(); }
  bool by_manifest() const { return options_.folds && has_folds(); }
  bool has_folds() const {
    return std::any_of(clips_.begin(), clips_.end(), [](const Clip& c) { return c.fold >= 0; });
  }
  bool folds_inside() const { return options_.lists && !options_.lists->validation; }
  bool by_artist() const { return options_.group_by == "artist"; }
  /// Groups have names: of artists, or of a column.
  bool by_name() const { return by_artist() || options_.by; }
  /// The word for its groups.
  std::string unit_name() const { return options_.by ? printable(*options_.by) : options_.group_by; }
  std::string other_way() const { return options_.by ? "no by" : "group_by: clip"; }
  std::vector<Group> groups_of(std::span<const std::int32_t> row_clip) const {
    return make_groups(by_name() ? "artist" : options_.group_by, clips_, row_clip,
                       options_.by ? values_ : artists_, related_);
  }
  std::string class_name(std::size_t label) const { return printable(label_names_[label]); }

  void find_artists() {
    if (options_.groups) {
      artists_ =
          named_by("split.groups", [&] { return groups_of_clips(*options_.groups, clips_, label_names_); });
    } else {
      for (const auto& clip : clips_) artists_.push_back(clip.group);
    }
    const auto unknown = std::count(artists_.begin(), artists_.end(), "");
    if (options_.group_by == "artist" && unknown == std::ssize(artists_))
      fail_at(
          "split.group_by",
          "artist needs artists: split.groups (Sturm's index.txt, or CSV with the columns "
          "path,group), or a group column in the manifest{}",
          options_.groups ? "; " + printable(options_.groups->string()) + " knows none of the clips" : "");
    if ((options_.group_by == "artist" || options_.groups) && unknown > 0)
      note("no artist is known for {} of {} clips{}", unknown, artists_.size(),
           options_.group_by == "artist" ? "; each is a group of its own" : "");
  }

  /// The values of the column that `by` names.
  void find_groups() {
    if (!options_.by) return;
    const auto& columns = names_.columns;
    const auto at = std::find(columns.begin(), columns.end(), *options_.by) - columns.begin();
    if (*options_.by == "group") {
      for (const auto& clip : clips_) values_.push_back(clip.group);
    } else if (at == std::ssize(columns)) {
      const auto hint = did_you_mean(*options_.by, columns);
      fail_at("split.by", "the manifest has no column '{}'{}", printable(*options_.by),
              columns.empty()
                  ? " (nor any beside path, label, group and fold)"
                  : (hint.empty() ? "; it has: " : hint + " it has: ") + printable(join(columns)));
    } else {
      for (const auto& clip : clips_) values_.push_back(clip.columns.at(std::size_t(at)));
    }
    if (const auto unknown = std::count(values_.begin(), values_.end(), ""); unknown > 0)
      note("{} of {} clips have nothing in the column '{}'; each is a group of its own", unknown,
           clips_.size(), printable(*options_.by));
  }

  // ---- given parts

  void follow_lists() {
    const auto [parts, statistics] = parts_by_lists(options_, clips_, label_names_, bad_paths_);
    for (std::size_t row = 0; row < part_.size(); ++row) part_[row] = parts[std::size_t(row_clip_[row])];
    if (statistics.not_on_disk > 0)
      note("{} of {} list entries are not on disk", statistics.not_on_disk, statistics.entries);
    if (statistics.unreadable > 0)
      note("{} of {} list entries are clips that cannot be used", statistics.unreadable, statistics.entries);
    if (statistics.in_no_list > 0)
      note("{} of {} clips are in no list and take no part", statistics.in_no_list, clips_.size());
    split_.lists = statistics;
    if (folds_inside()) deal_train();
  }

  Part part_of_fold(std::int64_t fold) const {
    if (fold == options_.fold) return test;
    return fold == (options_.fold + 1) % *options_.folds ? validation : train;
  }

  void follow_fold_column() {
    if (!names_.folds.empty() && std::ssize(names_.folds) != *options_.folds)
      fail_at("split.folds", "{}: the manifest's fold column names {} folds: {}", *options_.folds,
              names_.folds.size(), printable(join(names_.folds)));
    for (const auto& clip : clips_)
      if (clip.fold < 0 || clip.fold >= *options_.folds)
        fail_at("split.folds", "{}: '{}' has {} in the manifest's fold column; {} folds are numbered 0 to {}",
                *options_.folds, printable(clip.path), clip.fold < 0 ? "nothing" : std::to_string(clip.fold),
                *options_.folds, *options_.folds - 1);
    for (std::size_t row = 0; row < part_.size(); ++row)
      part_[row] = part_of_fold(clips_[std::size_t(row_clip_[row])].fold);
  }

  // ---- dealing

  void require_three_groups(const std::vector<Group>& groups) const {
    std::vector<std::set<std::size_t>> groups_of(label_names_.size());
    for (std::size_t g = 0; g < groups.size(); ++g)
      for (const auto& [label, count] : groups[g].holds.classes) groups_of[std::size_t(label)].insert(g);
    std::vector<std::string> few;
    for (std::size_t c = 0; c < groups_of.size(); ++c)
      if (const auto n = groups_of[c].size(); n > 0 && n < 3)
        few.push_back(fmt::format("'{}' has {} {}{}", class_name(c), n, unit_name(), n == 1 ? "" : "s"));
    if (few.empty()) return;
    fail_at("split",
            "{} {}; train, validation and test need at least 3 to share{} (more of them, {}or "
            "stratify: false, and the figures say which part lacks a class)",
            few.size() > 1 ? fmt::format("{} classes have too few groups:", few.size()) : "the class",
            join(few),
            related_.empty() || options_.group_by == "segment" ? "" : ", where copies count as one",
            by_name() ? other_way() + ", " : "");
  }

  void deal_groups() {
    const auto groups = groups_of(row_clip_);
    if (options_.stratify) require_three_groups(groups);
    const auto folds = options_.folds.value_or(0);
    std::vector<double> fractions{options_.train.fraction, options_.validation.fraction,
                                  options_.test.fraction};
    if (folds) fractions.assign(std::size_t(folds), 1.0 / folds);
    const double sum = std::accumulate(fractions.begin(), fractions.end(), 0.0);
    for (auto& f : fractions) f /= sum;  // 0.333333 three times is meant to be everything
    const auto parts = deal_all(groups, fractions);
    for (std::size_t g = 0; g < groups.size(); ++g) {
      const int p = folds ? part_of_fold(parts[g]) : parts[g];
      for (const auto row : groups[g].rows) part_[std::size_t(row)] = p;
    }
  }

  /// Folds inside the train list: one of them validates.
  void deal_train() {
    std::vector<std::int32_t> rows, clip;
    for (std::size_t row = 0; row < part_.size(); ++row)
      if (part_[row] == train) rows.push_back(std::int32_t(row)), clip.push_back(row_clip_[row]);
    const auto groups = groups_of(clip);
    const auto parts =
        deal_all(groups, std::vector<double>(std::size_t(*options_.folds), 1.0 / *options_.folds));
    for (std::size_t g = 0; g < groups.size(); ++g)
      if (parts[g] == options_.fold)
        for (const auto row : groups[g].rows) part_[std::size_t(rows[std::size_t(row)])] = validation;
  }

  /// The part (or fold) of each group.
  std::vector<int> deal_all(const std::vector<Group>& groups, const std::vector<double>& fractions) {
    const auto parts = deal_by_class(groups, fractions);
    const bool mixed =
        std::any_of(groups.begin(), groups.end(), [](const Group& g) { return g.holds.classes.size() > 1; });
    if (!mixed) return parts;
    const auto folds = options_.folds.value_or(0);
    if (std::ssize(groups) < folds)
      fail_at("split.folds", "{} folds need at least as many {}s, and there are {} (fewer folds{})", folds,
              unit_name(), groups.size(), by_name() ? ", or " + other_way() : "");
    std::vector<MixedGroup> holds;
    for (const auto& g : groups) holds.push_back(g.holds);
    const auto even = deal_evenly(holds, fractions, options_.stratify, folds > 0, seed_, parts);
    note("{}", describe_evenness(holds, fractions, even, options_.stratify, label_names_, folds > 0));
    return even.part;
  }

  /// The part of each group, dealt with the class that most of it belongs to.
  std::vector<int> deal_by_class(const std::vector<Group>& groups, const std::vector<double>& fractions) {
    std::vector<int> out(groups.size());
    std::vector<std::int64_t> sizes;
    for (const auto& g : groups) sizes.push_back(g.holds.size);
    const auto folds = fractions.size();
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
      if (options_.folds) {
        counts.assign(folds, std::int64_t(order.size() / folds));
        for (std::size_t k = 0; k < order.size() % folds; ++k) ++counts[offset++ % folds];
      } else {
        counts = largest_remainder(std::ssize(order), fractions);
      }
      const auto parts = deal(order, sizes, counts, fractions);
      for (std::size_t i = 0; i < order.size(); ++i) out[std::size_t(order[i])] = parts[i];
    }
    return out;
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
    const std::array parts{&split_.train, &split_.validation, &split_.test};
    for (std::size_t p = 0; p < 3; ++p)
      if (parts[p]->empty())
        fail_at("split", "the {} part is empty{}", part_names[p],
                by_files ? ": none of the clips its list names is there"
                         : fmt::format("; there are too few groups to share (more {}s, {}{})", unit_name(),
                                       options_.folds ? "fewer folds" : "other fractions",
                                       by_name() ? ", or " + other_way() : ""));
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
      if (p == train && !by_files && options_.stratify)
        fail_at("split",
                "train holds nothing of {}; nothing can be learned about it (more clips, other fractions, "
                "another seed, or stratify: false)",
                join(missing));
      note("{} holds nothing of {}", part_names[p], join(missing));
      split_.missing.push_back(fmt::format("{}: {}", part_names[p], join(missing)));
    }
  }

  void measure_shares() {
    std::vector<std::uint8_t> parts(clips_.size(), 0);
    for (std::size_t row = 0; row < part_.size(); ++row)
      if (part_[row] != none)
        parts[std::size_t(row_clip_[row])] |= static_cast<std::uint8_t>(1 << part_[row]);
    auto leaks = measure_leaks(parts, artists_, units(false, artists_, clips_.size(), related_), looked_);
    const auto& clip = leaks.of("test", "train", "clip");
    split_.clip_share_in_train = clip.clips ? clip.share() : 0;
    split_.artist_share_in_train = leaks.of("test", "train", "artist").share();
    split_.leaks = clip.found > 0 || leaks.of("test", "train", "related").found > 0;
    split_.leak_notes = leak_notes(leaks, by_artist());
    split_.shares = std::move(leaks.shares), split_.exposure = std::move(leaks.exposure);
    split_.unit = units(true, options_.by ? values_ : artists_, clips_.size(), related_);
    split_.looked = looked_;
    split_.clip_parts = std::move(parts);
  }

  const SplitOptions& options_;
  const std::vector<Clip>& clips_;
  const std::vector<std::string>& label_names_;
  std::span<const std::int32_t> row_clip_;
  std::uint64_t seed_;
  const std::vector<std::string>& bad_paths_;
  const ManifestNames& names_;
  bool looked_;                                                 // for related clips
  std::vector<std::pair<std::int32_t, std::int32_t>> related_;  // clips
  std::vector<int> part_;                                       // of each row
  std::vector<std::string> artists_;                            // of each clip; empty where unknown
  std::vector<std::string> values_;                             // of each clip, in the column `by`
  Split split_;
};

}  // namespace

Split make_split(const SplitOptions& options, const std::vector<Clip>& clips,
                 const std::vector<std::string>& label_names, std::span<const std::int32_t> row_clip,
                 std::uint64_t run_seed, const std::vector<std::string>& bad_paths, const Relations& related,
                 const ManifestNames& names) {
  auto split = Splitter(options, clips, label_names, row_clip, run_seed, bad_paths, related, names).run();
  std::set<std::string_view> there;
  for (const auto& clip : clips) there.insert(clip.path);
  for (const auto& pair : related.pairs)
    if (there.contains(pair.clip_a) && there.contains(pair.clip_b)) split.related.push_back(pair);
  return split;
}

Split make_split(const SplitOptions& options, const FeatureTable& table, std::uint64_t run_seed) {
  std::vector<std::string> bad_paths;
  for (const auto& bad : table.bad_files) bad_paths.push_back(bad.path);
  return make_split(options, table.clips, table.label_names, table.clip, run_seed, bad_paths, table.related,
                    table.names);
}

void check_split_request(const SplitOptions& options, const ClipIndex& index) {
  std::vector<std::int32_t> rows(index.clips.size());
  std::iota(rows.begin(), rows.end(), 0);
  const std::vector<std::string> no_bad_paths;
  Splitter(options, index.clips, index.label_names, rows, 0, no_bad_paths, {}, index.names).check();
}

}  // namespace timbre::data
