// How much leaks raise accuracy: accuracy on exposed test clips minus accuracy on clean ones, of one configuration.
//
// A test clip is exposed in one of two ways: its sound is in the training part (segments of it, a copy, a near
// duplicate), or only its artist is. Clean clips are neither; where artists are
// compared, theirs are known. An answer is one clip in one run; the interval is a
// bootstrap over groups (clips of one artist, or related, are drawn together), 95%, 2,000 draws; draws without a side
// are left out. It speaks of other clips, not of other seeds. Below ten distinct clips or five groups a side the
// difference is undecided. Exposed clips may be easier for other reasons: this does not show the cause.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "evaluation/statistics.hpp"
#include "report/run_summary.hpp"

namespace timbre::report {

inline constexpr std::int64_t fewest_clips = 10, fewest_groups = 5;

struct Attribution {
  bool artists = false;                             // else by sound
  std::int64_t exposed_clips = 0, clean_clips = 0;  // distinct; a clip may be on both sides in different runs
  std::int64_t exposed_groups = 0, clean_groups = 0;
  double exposed = 0, clean = 0;    // accuracy
  evaluation::Interval difference;  // exposed minus clean
  bool decided() const {
    return std::min(exposed_clips, clean_clips) >= fewest_clips &&
           std::min(exposed_groups, clean_groups) >= fewest_groups;
  }
};

/// By sound, then by artist; what no test clip is exposed to is left out.
std::vector<Attribution> attribute(const std::vector<const RunSummary*>& runs);

/// In one sentence, without its full stop.
std::string sentence(const Attribution& a, const std::string& model);

}  // namespace timbre::report
