// The split of a result, and its warnings.
//
//   /split            {train, validation, test} int32, rows of the feature file; attributes leaks,
//                     clip_share_in_train, artist_share_in_train (NaN: unknown), and notes as texts
//   /split/shares     {part, other, relation, share, clips, known, found}: for (test, train), (test, validation) and
//                     (validation, train), the share of clips of `part` that are themselves (clip), of which a copy
//                     or near duplicate (related) or whose artist (artist) is in `other`; see data/leak_shares.hpp
//   /split/related    {clip_a, clip_b, relation, error_rate, offset_seconds, part_a, part_b}: copies and near duplicates
//                     among the clips; relation same_audio | near_duplicate. Absent where none were looked for
//   /split/missing    classes that a part lacks, "test: blues, rock"; absent where none does
// The last three are absent from results of earlier versions.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "data/leak_shares.hpp"
#include "data/relations.hpp"
#include "storage/hdf5.hpp"

namespace timbre::results {

/// Named texts, in order.
using Notes = std::vector<std::pair<std::string, std::string>>;

struct RelatedRecord {
  data::RelatedClips clips;
  std::string part_a, part_b;  // "train", "train+test", ""
};

struct SplitRecord : data::SplitFacts {
  Notes notes;  // what else a reader should know of the split
  std::vector<RelatedRecord> related;

  /// Of test clips, of which a copy or near duplicate is in train; NaN where not known.
  double related_share_in_train() const;
};

/// The stamps that go with every figure: LEAKS, ARTISTS, MISSING; and what each means, in one line.
struct Stamp {
  std::string name, brief, text;  // brief: "ARTISTS 60%"
};
std::vector<Stamp> split_stamps(const SplitRecord& split);

void write_split(storage::H5File& file, const SplitRecord& split);
/// Throws Error where it is damaged.
SplitRecord read_split(const storage::H5File& file);

}  // namespace timbre::results
