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
//   lists       files that name the clips of each part; group_by does not apply
// A clip without a known artist is a group of its own. An artist of several classes is dealt once, with the class
// most of its segments belong to. The same options, rows and seed give the same parts.
//
// Errors (RequestError): an empty part; a class with fewer than three groups where they are dealt by class; a
// class that train lacks, unless lists leave it out; group_by artist without artists; a clip in two lists.
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

namespace timbre::data {

struct FeatureTable;

/// A part of a split: a fraction, or a file that lists its clips.
struct SplitPart {
  double fraction = 0;
  std::filesystem::path list;
  static SplitPart from(const config::Reader& reader);
  config::Node dump() const;
};

struct SplitLists {
  std::filesystem::path train, validation, test;
};
const config::Schema<SplitLists>& schema(config::of<SplitLists>);

/// `split:` of a configuration.
struct SplitOptions {
  std::string group_by = "clip";  // clip | artist | segment
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

struct Split {
  std::vector<std::int32_t> train, validation, test;  // rows, ascending
  /// Share of distinct test clips that are also in train.
  double clip_share_in_train = 0;
  /// Share of distinct test clips of a known artist whose artist is also in train; NaN if none is known.
  double artist_share_in_train = std::numeric_limits<double>::quiet_NaN();
  bool leaks = false;  // clip_share_in_train > 0
  std::optional<ListStatistics> lists;
  std::vector<std::string> notes;  // for the person, one line each
};

/// Splits the rows of a table of features.
Split make_split(const SplitOptions& options, const FeatureTable& table, std::uint64_t run_seed);

/// The same from clips and row_clip [N], the clip of each row. bad_paths: clips that could not be read.
Split make_split(const SplitOptions& options, const std::vector<Clip>& clips,
                 const std::vector<std::string>& label_names, std::span<const std::int32_t> row_clip,
                 std::uint64_t run_seed, const std::vector<std::string>& bad_paths = {});

/// What can be told of a split before features are extracted: its clips, as rows that are clip numbers. Throws
/// what make_split would throw for them. Where segments are dealt one by one it deals clips, and refuses nothing.
Split preview_split(const SplitOptions& options, const ClipIndex& index, std::uint64_t run_seed);

/// Largest remainder: whole numbers that add up to `count`, as near count * fractions as may be; ties to the
/// earlier part. fractions add up to 1.
std::vector<std::int64_t> largest_remainder(std::int64_t count, std::span<const double> fractions);

}  // namespace timbre::data
