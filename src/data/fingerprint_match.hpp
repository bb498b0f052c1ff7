// Which fingerprints are of one sound.
//
// Candidates come from an inverted index of all words: equal words, and words that differ in one bit, of two clips
// give an offset between them. At that offset the clips are near duplicates where, of their words,
//   at most 30% of the bits differ over some stretch of 5 s of the overlap, or
//   at most 20% differ over an overlap that is shorter, but at least 2 s.
// Bits of unrelated clips differ by about half. Equal hashes of the sound mean the same audio.
// Speed: a clip's words are looked up 33 times each, behind a filter of bits; time grows with the words that clips share by
// chance. Words that many clips share (silence, hum) are compared with the nearest clips of the index alone.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "core/parallel.hpp"
#include "data/fingerprint.hpp"

namespace timbre::data {

inline constexpr double long_match_seconds = 5, long_match_errors = 0.30;
inline constexpr double short_match_seconds = 2, short_match_errors = 0.20;

struct Match {
  std::int32_t a = 0, b = 0;  // a < b
  bool same_audio = false;
  double error_rate = 0;
  double offset_seconds = 0;  // where b begins, in the time of a
  bool operator==(const Match&) const = default;
};

/// All pairs, by a, then b; of clips with the same audio only those with the first of them. The same for any number of
/// threads. `check` is called often, from any thread; it may throw.
std::vector<Match> match_fingerprints(const std::vector<Fingerprint>& fingerprints, ThreadPool& pool,
                                      const std::function<void()>& check = {});

/// Share of bits that differ between two clips at an offset (b's first word at a's word `offset`), as the rules above
/// judge it: over the whole overlap where that is within them, else over the best stretch. 1 where they share
/// too little. For tests and for telling margins.
double error_rate_at(const std::vector<std::uint32_t>& a, const std::vector<std::uint32_t>& b,
                     std::int64_t offset, bool& accepted);

}  // namespace timbre::data
