// How clips are cut into segments, which is what a network sees.
//
// A clip of n samples and segments of L samples every H samples (seconds and hop_seconds, by default H = L):
//   n >= L   segments begin at 0, H, 2 H, ... as long as one is whole. What is then left beyond the last (the remainder) is
//            dropped, or padded to a last segment (remainder: pad).
//   n < L    one padded segment (short: pad), none (short: drop; the clip is listed), or the end of the work (short: error).
// A segment that lacks no more than the tolerance is padded in any case: files of "3 s" are often some milliseconds short.
// Padding is silence (pad: constant), or the segment's own samples over again (pad: repeat).
// seconds: whole makes one segment of each clip, of `length_seconds`: a longer clip is cut, a shorter one padded as above.
//
// `segment_seconds: S` is the short form of earlier versions: L = H = S, no padding, no tolerance.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "config/schema.hpp"

namespace timbre::data {

/// A number of seconds, or `whole`.
struct SegmentLength {
  double seconds = 3;
  bool whole = false;
  static SegmentLength from(const config::Reader& reader);
  static config::Type describe();
  config::Node dump() const;
};

/// `dataset.segment:` of a configuration.
struct SegmentOptions {
  SegmentLength length;
  std::optional<double> hop_seconds;     // absent: the length
  std::optional<double> length_seconds;  // of whole clips; absent: the longest clip's, filled in by the plan
  std::string short_clips = "pad";       // pad | drop | error
  std::string pad = "constant";          // constant | repeat
  std::string remainder = "drop";        // drop | pad
  double tolerance_seconds = 0.05;
};
const config::Schema<SegmentOptions>& schema(config::of<SegmentOptions>);

/// The end of a clip, as it was cut.
enum class Ending {
  exact,      // nothing is left
  none,       // the clip gives no segment
  short_pad,  // the only segment is padded
  tolerated,  // the last segment is padded within the tolerance
  pad,        // the remainder is padded to a segment
  drop,       // the remainder is dropped
  crop        // a whole clip is cut to its length
};

struct Cut {
  std::int64_t count = 0;    // segments
  std::int64_t dropped = 0;  // samples that no segment holds, at the end
  Ending ending = Ending::exact;
};

/// The same in samples, at the rate of the features.
struct Cutting {
  std::int64_t samples = 0, hop = 0, tolerance = 0;
  bool pad_short = false, pad_remainder = false, repeat = false, whole = false;

  Cut cut(std::int64_t clip_samples) const;
  /// Where segment `i` begins.
  std::int64_t start(std::int64_t i) const { return i * hop; }
  /// Fills [there, segment.size()) of a segment whose first `there` samples are the clip's.
  void fill(std::span<float> segment, std::int64_t there) const;
};

/// How often clips ended how.
struct SegmentCounts {
  std::int64_t clips = 0, segments = 0;
  std::int64_t short_clips_padded = 0, short_clips_dropped = 0, padded_within_tolerance = 0;
  std::int64_t remainders_padded = 0, remainders_dropped = 0, clips_cropped = 0;
  double seconds_dropped = 0;

  void add(const Cut& cut, int sample_rate);
  bool operator==(const SegmentCounts&) const = default;
};
/// The counts by name, as files store them.
struct SegmentCount {
  const char* name;
  std::int64_t SegmentCounts::*value;
};
inline constexpr SegmentCount segment_counts[] = {
    {"clips", &SegmentCounts::clips},
    {"segments", &SegmentCounts::segments},
    {"short_clips_padded", &SegmentCounts::short_clips_padded},
    {"short_clips_dropped", &SegmentCounts::short_clips_dropped},
    {"padded_within_tolerance", &SegmentCounts::padded_within_tolerance},
    {"remainders_padded", &SegmentCounts::remainders_padded},
    {"remainders_dropped", &SegmentCounts::remainders_dropped},
    {"clips_cropped", &SegmentCounts::clips_cropped}};
template <class A>
void travel(A& parcel, SegmentCounts& c) {
  parcel(c.clips, c.segments, c.short_clips_padded, c.short_clips_dropped, c.padded_within_tolerance,
         c.remainders_padded, c.remainders_dropped, c.clips_cropped, c.seconds_dropped);
}
/// Of what was padded or dropped, in one line; "" where nothing was.
std::string describe(const SegmentCounts& counts);

}  // namespace timbre::data
