#include "data/split_units.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <set>
#include <string_view>
#include <unordered_map>

#include "core/text.hpp"
#include "data/leak_shares.hpp"

namespace timbre::data {

namespace {

/// Union-find; the root of a set is its lowest member.
class Sets {
 public:
  explicit Sets(std::size_t n) : parent_(n) { std::iota(parent_.begin(), parent_.end(), std::size_t{0}); }
  std::size_t root(std::size_t i) {
    while (parent_[i] != i) i = parent_[i] = parent_[parent_[i]];
    return i;
  }
  void unite(std::size_t a, std::size_t b) {
    a = root(a), b = root(b);
    parent_[std::max(a, b)] = std::min(a, b);
  }

 private:
  std::vector<std::size_t> parent_;
};

}  // namespace

std::vector<std::size_t> units(bool by_artist, const std::vector<std::string>& artists, std::size_t clips,
                               const std::vector<std::pair<std::int32_t, std::int32_t>>& related) {
  Sets sets(clips);
  if (by_artist) {
    std::unordered_map<std::string_view, std::size_t> first;
    for (std::size_t i = 0; i < clips; ++i)
      if (!artists[i].empty()) sets.unite(first.emplace(artists[i], i).first->second, i);
  }
  for (const auto& [a, b] : related) sets.unite(std::size_t(a), std::size_t(b));
  std::vector<std::size_t> out;
  for (std::size_t i = 0; i < clips; ++i) out.push_back(sets.root(i));
  return out;
}

std::vector<Group> make_groups(const std::string& group_by, const std::vector<Clip>& clips,
                               std::span<const std::int32_t> row_clip,
                               const std::vector<std::string>& artists,
                               const std::vector<std::pair<std::int32_t, std::int32_t>>& related) {
  const bool by_segment = group_by == "segment", by_artist = group_by == "artist";
  const auto unit = units(by_artist, artists, clips.size(), related);
  std::vector<Group> groups;
  std::unordered_map<std::size_t, std::size_t> number_of;
  std::vector<std::set<std::int32_t>> clips_of;
  for (std::size_t row = 0; row < row_clip.size(); ++row) {
    const auto clip = row_clip[row];
    const auto [it, is_new] = number_of.emplace(by_segment ? row : unit[std::size_t(clip)], groups.size());
    if (is_new) groups.emplace_back(), clips_of.emplace_back();
    groups[it->second].rows.push_back(static_cast<std::int32_t>(row));
    clips_of[it->second].insert(clip);
  }
  for (std::size_t g = 0; g < groups.size(); ++g) {
    auto& group = groups[g];
    std::map<std::int32_t, std::int64_t> rows_of, weight_of;
    for (const auto row : group.rows) ++rows_of[clips[std::size_t(row_clip[std::size_t(row)])].label];
    group.label = std::max_element(rows_of.begin(), rows_of.end(), [](const auto& a, const auto& b) {
                    return a.second < b.second;
                  })->first;
    // Artists differ in size; clips are counted as one each, whatever their length.
    for (const auto clip : clips_of[g]) ++weight_of[clips[std::size_t(clip)].label];
    if (by_artist) weight_of = rows_of;
    for (const auto& [label, count] : weight_of)
      group.holds.classes.emplace_back(label, count), group.holds.size += count;
  }
  return groups;
}

std::vector<std::pair<std::int32_t, std::int32_t>> pairs_among(const std::vector<Clip>& clips,
                                                               const std::vector<RelatedClips>& pairs) {
  std::unordered_map<std::string_view, std::int32_t> place;
  for (std::size_t i = 0; i < clips.size(); ++i) place.emplace(clips[i].path, std::int32_t(i));
  std::vector<std::pair<std::int32_t, std::int32_t>> out;
  for (const auto& pair : pairs) {
    const auto a = place.find(pair.clip_a), b = place.find(pair.clip_b);
    if (a != place.end() && b != place.end()) out.emplace_back(a->second, b->second);
  }
  return out;
}

std::string describe_evenness(std::span<const MixedGroup> groups, std::span<const double> fractions,
                              const EvenDeal& deal, bool by_class,
                              const std::vector<std::string>& label_names, bool folds) {
  const auto parts = fractions.size();
  std::vector<double> held(parts, 0);
  double all = 0;
  std::map<std::int32_t, std::vector<double>> of_class;
  std::map<std::int32_t, double> total;
  for (std::size_t g = 0; g < groups.size(); ++g) {
    const auto p = std::size_t(deal.part[g]);
    held[p] += double(groups[g].size), all += double(groups[g].size);
    for (const auto& [label, count] : groups[g].classes) {
      of_class[label].resize(parts);
      of_class[label][p] += double(count), total[label] += double(count);
    }
  }
  const auto part_name = [&](std::size_t p) { return folds ? fmt::format("fold {}", p) : part_names[p]; };
  std::vector<std::string> sizes;
  for (std::size_t p = 0; p < parts; ++p)
    sizes.push_back(fmt::format("{} {:.1f}%", part_name(p), 100 * held[p] / all));
  auto out = fmt::format("{} groups, some of several classes, dealt whole: {} (meant: {}); ", groups.size(),
                         join(sizes), [&] {
                           std::vector<std::string> meant;
                           for (const double f : fractions) meant.push_back(fmt::format("{:.4g}", 100 * f));
                           return folds ? meant[0] + " each" : join(meant, "/");
                         }());
  if (by_class) {
    double most = -1;
    std::string text;
    for (const auto& [label, counts] : of_class)
      for (std::size_t p = 0; p < parts; ++p)
        if (const double off = std::abs(counts[p] / (fractions[p] * total[label]) - 1); off > most + 1e-9) {
          most = off;
          text = fmt::format("{:.1f}% of '{}' in {}, {:.4g} meant", 100 * counts[p] / total[label],
                             printable(label_names[std::size_t(label)]), part_name(p), 100 * fractions[p]);
        }
    out += fmt::format("furthest off: {}; ", text);
  }
  return out + fmt::format("deviation {:.4g}, {}", deal.deviation,
                           deal.exact
                               ? "the least there is, so that seeds hardly change it (folds test every group)"
                               : "the least that a bounded search found");
}

}  // namespace timbre::data
