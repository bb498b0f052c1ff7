// Two clips that are one piece of sound: what the guard against leaks finds, and splits keep together.
#pragma once

#include <string>
#include <vector>

namespace timbre::data {

struct RelatedClips {
  std::string clip_a,
      clip_b;                 // paths, relative to the data set's root; clip_a is before clip_b in the index
  bool same_audio = false;    // the same samples but for silence at the ends; else a near duplicate
  double error_rate = 0;      // share of the fingerprints' bits that differ where the clips overlap
  double offset_seconds = 0;  // where clip_b begins, in the time of clip_a
  bool operator==(const RelatedClips&) const = default;

  const char* relation() const { return same_audio ? "same_audio" : "near_duplicate"; }
};

/// The pairs that were found among the clips of a data set.
struct Relations {
  std::vector<RelatedClips> pairs;
  bool looked = false;  // else nothing is known of them
};

}  // namespace timbre::data
