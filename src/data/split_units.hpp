// Rows gathered into the groups that parts of a split must not share (used by split.cpp).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "data/clips.hpp"
#include "data/relations.hpp"
#include "data/split_even.hpp"

namespace timbre::data {

struct Group {
  std::vector<std::int32_t> rows;
  std::int32_t label = 0;  // the class most rows belong to; the lowest of several
  MixedGroup holds;  // rows where artists are dealt; clips (or segments), whatever their length, elsewhere
};

/// Of each clip, the lowest clip that it must not be parted from: of the same artist (where artists count), or related.
std::vector<std::size_t> units(bool by_artist, const std::vector<std::string>& artists, std::size_t clips,
                               const std::vector<std::pair<std::int32_t, std::int32_t>>& related);

/// Groups in the order of their first rows. group_by: clip | artist | segment. Where clips or artists are dealt, related clips
/// share a group, and so do their artists.
std::vector<Group> make_groups(const std::string& group_by, const std::vector<Clip>& clips,
                               std::span<const std::int32_t> row_clip,
                               const std::vector<std::string>& artists,
                               const std::vector<std::pair<std::int32_t, std::int32_t>>& related);

/// The pairs of which both clips are there, as positions in `clips`.
std::vector<std::pair<std::int32_t, std::int32_t>> pairs_among(const std::vector<Clip>& clips,
                                                               const std::vector<RelatedClips>& pairs);

/// How even a deal came out, in one line.
std::string describe_evenness(std::span<const MixedGroup> groups, std::span<const double> fractions,
                              const EvenDeal& deal, bool by_class,
                              const std::vector<std::string>& label_names, bool folds);

}  // namespace timbre::data
