// From segments to clips: the probability of a clip is the mean over its segments.
//
// Segments of one clip are not independent of each other; the figures a person should compare are those of
// clips, and the intervals of statistics.hpp are taken over clips.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace timbre::evaluation {

struct ClipScores {
  std::vector<float> probabilities;      // [K, C], float64 means rounded once
  std::vector<std::int32_t> label;       // [K]
  std::vector<std::int32_t> prediction;  // [K], of the rounded probabilities
  std::vector<std::int32_t> clip;        // [K], the names that were given, ascending
  std::vector<std::int32_t> row_clip;    // [N], position in the above of every segment's clip
  double accuracy = 0;                   // NaN of no clips
};

/// probabilities [N, C], label [N], clip [N] (any numbers, in any order). Throws std::invalid_argument where
/// the arrays do not fit together or the segments of a clip do not agree on its label.
ClipScores aggregate_clips(std::span<const float> probabilities, std::int64_t classes,
                           std::span<const std::int32_t> label, std::span<const std::int32_t> clip);

}  // namespace timbre::evaluation
