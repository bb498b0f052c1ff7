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
  return "";
}

template <class T>
config::Rule<std::optional<T>> length_rule() {
  return {[](const std::optional<T>& v) { return !v || (*v > 0 && *v <= longest); },
          "greater than 0 and at most 3600"};
}

}  // namespace

SegmentLength SegmentLength::from(const config::Reader& reader) {
  const auto& node = reader.node();
  if (node.is_scalar() && node.scalar == "whole") return {0, true};
  if (node.is_scalar() && !node.quoted && !node.scalar.empty() &&
      node.scalar.find_first_not_of("+-.0123456789eE") == std::string::npos) {
    const double seconds = reader.number();
    if (!(seconds > 0 && seconds <= longest))
      reader.fail("must be greater than 0 and at most 3600, or whole, not " + describe(node));
    return {seconds, false};
  }
  reader.fail("must be a number of seconds, or whole, not " + describe(node));
}

config::Node SegmentLength::dump() const {
  return whole ? config::Node::text("whole") : config::detail::number_node(seconds);
}

const config::Schema<SegmentOptions>& schema(config::of<SegmentOptions>) {
  static const auto s =
      config::Schema<SegmentOptions>("how clips are cut into what a network sees")
          .field("seconds", &SegmentOptions::length, "length of a segment, or whole: one segment a clip")
          .field("hop_seconds", &SegmentOptions::hop_seconds,
                 "from the beginning of a segment to that of the next; null: seconds", length_rule<double>())
          .field("length_seconds", &SegmentOptions::length_seconds,
                 "of whole clips: what they are cut or padded to; null: the longest clip's",
                 length_rule<double>())
          .field("short", &SegmentOptions::short_clips,
                 "a clip shorter than a segment: pad it, drop it, or error",
                 config::one_of({"pad", "drop", "error"}))
          .field("pad", &SegmentOptions::pad, "with silence (constant), or the same samples again (repeat)",
                 config::one_of({"constant", "repeat"}))
          .field("remainder", &SegmentOptions::remainder,
                 "what is left behind the last whole segment: drop or pad", config::one_of({"drop", "pad"}))
          .field("tolerance_seconds", &SegmentOptions::tolerance_seconds,
                 "a segment that lacks no more is padded in any case",
                 {[](const double& v) { return v >= 0 && v <= longest; }, "from 0 to 3600"})
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
