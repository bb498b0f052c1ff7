// Which rows train, which validate, which test; and what of the test has been heard in training.
//
// A group is what parts must not share: a clip, an artist, or a segment (which lets segments of one clip stand in
// train and in test: it leaks, and the result says so). The parts come from
//   fractions   per class (stratify) the groups are shuffled with (seed, stream::split, class) and dealt by largest
//               remainder: part p gets floor(G f_p) groups, the rest go to the largest remainders, ties to the
//               earlier part. Artists have different numbers of segments: with the counts of groups kept, groups
//               then change places until the numbers of segments are as near the fractions as swaps bring them.
//   folds       the same with K equal parts: test is fold i, validation fold (i + 1) mod K, train the rest; a
//               manifest's fold column replaces the dealing
//   by          as artists, with the values of a column of the manifest
//   lists       files that name the clips of each part; group_by does not apply. Without a list for validation the clips of
//               train are dealt in K folds (clips, artists or a column whole): fold i validates, the rest trains, and the
//               test part is the same for all
// A clip without a known artist is a group of its own. Clips that are copies or near duplicates of each other belong
// to one group wherever clips or artists are dealt. Where a group holds several classes, all groups are dealt as evenly as
// can be by one formula of sizes and class shares (split_even.hpp), and a note says how even that is. The same options,
// rows and seed give the same parts.
//
// Errors (RequestError): an empty part; a class with fewer than three groups, or that train lacks, where classes
// count (stratify) and no lists say otherwise; group_by artist without artists; a clip in two lists.
#pragma once

#include <cstdint>
#include <filesystem>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "config/schema.hpp"
#include "data/clips.hpp"
#include "data/leak_shares.hpp"
#include "data/relations.hpp"

namespace timbre::data {

struct FeatureTable;

/// A part of a split: a fraction, or a file that lists its clips.
struct SplitPart {
  double fraction = 0;
  std::filesystem::path list;
  static SplitPart from(const config::Reader& reader);
  static config::Type describe();
  config::Node dump() const;
};

struct SplitLists {
  std::filesystem::path train, test;
  std::optional<std::filesystem::path> validation;  // absent: a fold of train
};
const config::Schema<SplitLists>& schema(config::of<SplitLists>);

/// `split:` of a configuration.
struct SplitOptions {
  std::string group_by = "clip";  // clip | artist | segment
  std::optional<std::string>
      by;  // a column of the manifest, whose values are the groups; instead of group_by
  SplitPart train{0.6, {}}, validation{0.2, {}}, test{0.2, {}};
  bool stratify = true;
  std::optional<SplitLists> lists;
  std::optional<int> folds;
  int fold = 0;
  std::optional<std::filesystem::path> groups;  // Sturm's index.txt, or CSV with path,group
  std::optional<std::int64_t> seed;             // the run's where absent
};
const config::Schema<SplitOptions>& schema(config::of<SplitOptions>);

/// How lists fit the data.
struct ListStatistics {
  std::int64_t entries = 0;      // names in the three lists
  std::int64_t not_on_disk = 0;  // of these, names of no clip
  std::int64_t unreadable = 0;   // of these, names of bad files
  std::int64_t in_no_list = 0;   // clips that no list names; they take part in nothing
};

struct Split : SplitFacts {
  std::vector<std::uint8_t> clip_parts;  // [clips], bits: 1 train, 2 validation, 4 test
  std::vector<Exposure> exposure;        // [clips], of test clips, to train
  std::vector<std::size_t> unit;         // [clips], the same for clips of one artist, or related
  std::vector<RelatedClips> related;     // of the clips that are there
  std::optional<ListStatistics> lists;
  std::vector<std::string> notes, leak_notes;  // for the person, one line each
};

/// Splits the rows of a table of features.
Split make_split(const SplitOptions& options, const FeatureTable& table, std::uint64_t run_seed);

/// The same from clips and row_clip [N], the clip of each row. bad_paths: clips that could not be read.
Split make_split(const SplitOptions& options, const std::vector<Clip>& clips,
                 const std::vector<std::string>& label_names, std::span<const std::int32_t> row_clip,
                 std::uint64_t run_seed, const std::vector<std::string>& bad_paths = {},
                 const Relations& related = {}, const ManifestNames& names = {});

/// Throws what make_split must throw whatever the clips hold: wrong lists, unknown artists, a class with too few groups.
void check_split_request(const SplitOptions& options, const ClipIndex& index);

}  // namespace timbre::data
