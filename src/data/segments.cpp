#include "data/segments.hpp"

#include <algorithm>
#include <vector>

#include "core/text.hpp"

namespace timbre::data {

namespace {

constexpr double longest = 3600;

std::string problem_with(const SegmentOptions& o) {
  if (o.length.whole && o.hop_seconds)
    return "seconds: whole makes one segment of a clip; hop_seconds does not apply";
  if (!o.length.whole && o.length_seconds) return "length_seconds is for seconds: whole";
  if (o.hop_seconds && *o.hop_seconds < o.length.seconds / 100)
    return "hop_seconds is less than a hundredth of seconds: a clip would become too many segments";
  return "";
}

config::Rule<double> seconds_rule() { return config::above_up_to(0, longest); }

}  // namespace

SegmentLength SegmentLength::from(const config::Reader& reader) {
  const auto& node = reader.node();
  if (node.is_scalar() && node.scalar == "whole") return {0, true};
  if (node.is_scalar() && !node.quoted && !node.scalar.empty() &&
      node.scalar.find_first_not_of("+-.0123456789eE") == std::string::npos) {
    const double seconds = reader.number();
    if (!(seconds > 0 && seconds <= longest))
      reader.fail("must be greater than 0 and at most 3600, or whole, not " + config::describe(node));
    return {seconds, false};
  }
  reader.fail("must be a number of seconds, or whole, not " + config::describe(node));
}

config::Type SegmentLength::describe() {
  config::Type seconds{config::Type::Kind::number};
  seconds.limits = {.low = 0, .high = longest, .above_low = true};
  return config::Type::either({std::move(seconds), config::Type::word({{"whole", "one segment a clip"}})});
}

config::Node SegmentLength::dump() const {
  return whole ? config::Node::text("whole") : config::detail::number_node(seconds);
}

const config::Schema<SegmentOptions>& schema(config::of<SegmentOptions>) {
  static const auto s =
      config::Schema<SegmentOptions>("how clips are cut into the segments that a network sees")
          .field("seconds", &SegmentOptions::length, "length of a segment, or whole: one segment a clip")
          .unit("s")
          .field(
              "hop_seconds", &SegmentOptions::hop_seconds,
              "from the beginning of a segment to that of the next, at least a hundredth of seconds. null: "
              "seconds, so that none overlap",
              seconds_rule())
          .unit("s")
          .field("length_seconds", &SegmentOptions::length_seconds,
                 "with seconds: whole, what clips are cut or padded to. null: the length of the longest",
                 seconds_rule())
          .unit("s")
          .field("short", &SegmentOptions::short_clips,
                 "what becomes of a clip that is shorter than a segment",
                 config::choice_of({{"pad", "it is padded to one"},
                                    {"drop", "it is left out, and the result lists it"},
                                    {"error", "the run ends before any work"}}))
          .field("pad", &SegmentOptions::pad, "what segments are padded with",
                 config::choice_of({{"constant", "silence"}, {"repeat", "the segment's own samples, again"}}))
          .field("remainder", &SegmentOptions::remainder,
                 "what becomes of the sound behind the last whole segment",
                 config::choice_of({{"drop", "it is left out"}, {"pad", "it is padded to a segment"}}))
          .field("tolerance_seconds", &SegmentOptions::tolerance_seconds,
                 "a segment that lacks no more than this is padded in any case",
                 config::between(0.0, longest))
          .unit("s")
          .check(problem_with);
  return s;
}

Cut Cutting::cut(std::int64_t n) const {
  if (n <= 0) return {0, 0, Ending::none};
  if (n < samples) {
    if (n >= samples - tolerance) return {1, 0, Ending::tolerated};
    if (pad_short) return {1, 0, Ending::short_pad};
    return {0, n, Ending::none};
  }
  if (whole) return {1, n - samples, n == samples ? Ending::exact : Ending::crop};
  const auto count = 1 + (n - samples) / hop;
  const auto end = start(count - 1) + samples, beyond = n - end;
  if (beyond <= 0) return {count, 0, Ending::exact};
  const auto left =
      n - start(count);  // of the next segment; it has some of the last one's samples where they overlap
  if (left > 0 && left >= samples - tolerance) return {count + 1, 0, Ending::tolerated};
  if (left > 0 && pad_remainder) return {count + 1, 0, Ending::pad};
  return {count, beyond, Ending::drop};
}

void Cutting::fill(std::span<float> segment, std::int64_t there) const {
  for (auto i = std::size_t(there); i < segment.size(); ++i)
    segment[i] = repeat ? segment[i - std::size_t(there)] : 0.0f;
}

void SegmentCounts::add(const Cut& cut, int sample_rate) {
  ++clips, segments += cut.count;
  seconds_dropped += double(cut.dropped) / sample_rate;
  switch (cut.ending) {
    case Ending::exact:
      break;
    case Ending::none:
      ++short_clips_dropped;
      break;
    case Ending::short_pad:
      ++short_clips_padded;
      break;
    case Ending::tolerated:
      ++padded_within_tolerance;
      break;
    case Ending::pad:
      ++remainders_padded;
      break;
    case Ending::drop:
      ++remainders_dropped;
      break;
    case Ending::crop:
      ++clips_cropped;
      break;
  }
}

std::string describe(const SegmentCounts& c) {
  std::vector<std::string> what;
  const auto say = [&](std::int64_t n, const char* one, const char* many) {
    if (n > 0) what.push_back(fmt::format("{} {}", grouped(n), n == 1 ? one : many));
  };
  say(c.short_clips_padded, "short clip is padded", "short clips are padded");
  say(c.short_clips_dropped, "short clip is dropped", "short clips are dropped");
  say(c.padded_within_tolerance, "last segment is padded within the tolerance",
      "last segments are padded within the tolerance");
  say(c.remainders_padded, "remainder is padded", "remainders are padded");
  say(c.remainders_dropped, "remainder is dropped", "remainders are dropped");
  say(c.clips_cropped, "clip is cut to its length", "clips are cut to their length");
  if (what.empty()) return "";
  return fmt::format("segments: {} of {} clips: {}{}", grouped(c.segments), grouped(c.clips), join(what),
                     c.seconds_dropped > 0
                         ? fmt::format(" ({:.1f} s of sound in all are left out)", c.seconds_dropped)
                         : "");
}

}  // namespace timbre::data
