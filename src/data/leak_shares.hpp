// How much of one part of a split also occurs in another.
//
// Three relations of a clip of one part to another part: the clip itself has segments there; a related clip (the
// same audio, or a near duplicate) is there; its artist is there. A share is found / known, over the distinct clips
// of the first part for which the relation is known (an artist may be unknown; related clips are known where they
// were looked for). NaN where none is known.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <vector>

namespace timbre::data {

/// The parts of a split, in their order.
inline constexpr std::array<const char*, 3> part_names{"train", "validation", "test"};

struct LeakShare {
  std::string part, other;  // train | validation | test
  std::string relation;     // clip | related | artist
  std::int64_t clips = 0, known = 0, found = 0;
  double share() const {
    return known > 0 ? double(found) / double(known) : std::numeric_limits<double>::quiet_NaN();
  }
};

/// How near a test clip comes to what was trained on.
/// unknown: no sound of it was, but its artist is not known.
enum class Exposure : std::int32_t { clean = 0, artist = 1, related = 2, itself = 3, unknown = 4 };

struct Leaks {
  std::vector<LeakShare> shares;   // (test, train), (test, validation), (validation, train), by relation
  std::vector<Exposure> exposure;  // [clips], to train; of clips of the test part
  const LeakShare& of(const std::string& part, const std::string& other, const std::string& relation) const;
};

/// A split, and the shares of its test part that were heard in training. A result keeps it.
struct SplitFacts {
  std::vector<std::int32_t> train, validation, test;  // rows of the features, ascending
  /// Test clips, or copies or near duplicates of them, are in train.
  bool leaks = false;
  /// Share of distinct test clips that are also in train.
  double clip_share_in_train = 0;
  /// Share of distinct test clips of a known artist whose artist is also in train; NaN if none is known.
  double artist_share_in_train = std::numeric_limits<double>::quiet_NaN();
  std::vector<LeakShare> shares;
  std::vector<std::string> missing;  // classes that a part lacks: "test: blues, rock"
  bool looked = false;               // for related clips
};

/// parts [clips]: bit p is set where the clip has rows in part p (0 train, 1 validation, 2 test); artists [clips],
/// empty where unknown; unit [clips]: the same number for clips that are related, by one or several steps; looked: whether
/// related clips were looked for.
Leaks measure_leaks(std::span<const std::uint8_t> parts, const std::vector<std::string>& artists,
                    const std::vector<std::size_t>& unit, bool looked);

/// The leaks that a person should know, one line each; `by_artist`: whether the split keeps artists apart.
std::vector<std::string> leak_notes(const Leaks& leaks, bool by_artist);

}  // namespace timbre::data
