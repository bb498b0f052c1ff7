// Clips cut into segments: every option against the plainest way to write it down.
#include <gtest/gtest.h>

#include <algorithm>

#include "config/schema.hpp"
#include "core/error.hpp"
#include "core/philox.hpp"
#include "data/feature_store.hpp"
#include "support.hpp"

namespace timbre::data {
namespace {

using Segment = std::vector<float>;

/// Segments as the header's words have them.
std::vector<Segment> plainly(const std::vector<float>& clip, const Cutting& c) {
  const auto n = std::ssize(clip);
  const auto padded = [&](std::int64_t from) {
    Segment s(clip.begin() + from, clip.begin() + std::min(n, from + c.samples));
    const auto there = s.size();
    while (std::ssize(s) < c.samples) s.push_back(c.repeat ? s[s.size() % there] : 0.0f);
    return s;
  };
  std::vector<Segment> out;
  if (n == 0) return out;
  if (n < c.samples) {
    if (c.pad_short || c.samples - n <= c.tolerance) out.push_back(padded(0));
    return out;
  }
  if (c.whole) return {padded(0)};
  std::int64_t at = 0;
  for (; at + c.samples <= n; at += c.hop) out.push_back(padded(at));
  const bool something_new = n > at - c.hop + c.samples;
  if (at < n && something_new && (c.pad_remainder || at + c.samples - n <= c.tolerance))
    out.push_back(padded(at));
  return out;
}

std::vector<Cutting> every_way() {
  std::vector<Cutting> out;
  for (const std::int64_t samples : {1, 7, 100})
    for (const std::int64_t hop : {1, 3, 7, 50, 100, 130})
      for (const std::int64_t tolerance : {0, 2, 30})
        for (const bool pad_short : {false, true})
          for (const bool pad_remainder : {false, true})
            for (const bool repeat : {false, true})
              out.push_back({samples, hop, tolerance, pad_short, pad_remainder, repeat, false});
  for (const std::int64_t tolerance : {0, 30})
    for (const bool pad_short : {false, true})
      out.push_back({100, 100, tolerance, pad_short, false, false, true});
  return out;
}

TEST(Segments, AreCountedAsTheyAreCut) {
  for (const auto& c : every_way())
    for (std::int64_t n = 0; n <= 420; n += n < 210 ? 1 : 13) {
      const auto cut = c.cut(n);
      ASSERT_EQ(cut.count, std::ssize(plainly(std::vector<float>(std::size_t(n)), c)))
          << n << " samples, " << c.samples << " every " << c.hop << ", tolerance " << c.tolerance;
      // What is dropped and what the segments reach make up the clip, where no gap is left out between them.
      if (cut.count > 0 && c.hop <= c.samples) {
        ASSERT_EQ(cut.dropped + std::min(n, c.start(cut.count - 1) + c.samples), n);
      }
    }
}

/// Gives the samples back: a row is its segment.
class Echo final : public features::FeatureEngine {
 public:
  explicit Echo(std::int64_t samples) : samples_(samples) {}
  Shape shape() const override { return {1, samples_}; }
  void compute(const float* segments, std::int64_t count, float* out) override {
    std::copy_n(segments, count * samples_, out);
  }
  std::int64_t segments_at_once() const override { return 3; }

 private:
  std::int64_t samples_;
};

TEST(Segments, OfAFileAreItsSamples) {
  const test::TempFolder folder;
  SegmentBuffers buffers;  // kept from file to file, as threads do
  for (const std::int64_t n : {1, 6, 69, 70, 99, 100, 101, 199, 230, 999}) {
    PhiloxSequence random(1, std::uint32_t(n));
    std::vector<float> clip(static_cast<std::size_t>(n));
    for (float& v : clip)
      v = float(std::int64_t(random.below(20001)) - 10000) / 32768.0f;  // exact in 16 bits
    const auto file = folder / fmt::format("{}.wav", n);
    test::write_wav(file, clip, 8000);
    for (const auto& c : every_way()) {
      Echo echo(c.samples);
      std::vector<Segment> got;
      std::int64_t samples = 0;
      const auto consume = [&](std::span<const float> rows, std::int64_t first) {
        ASSERT_EQ(first, std::ssize(got));
        for (std::size_t i = 0; i < rows.size(); i += std::size_t(c.samples))
          got.emplace_back(rows.begin() + std::ptrdiff_t(i), rows.begin() + std::ptrdiff_t(i) + c.samples);
      };
      const auto count = extract_file(audio::AudioReader(file, 8000), echo, c, buffers, consume, &samples);
      ASSERT_EQ(samples, n);
      ASSERT_EQ(count, std::ssize(got));
      ASSERT_EQ(got, plainly(clip, c)) << n << " samples, " << c.samples << " every " << c.hop;
    }
  }
}

TEST(Segments, GapsBetweenThemTakeNoMemory) {
  const test::TempFolder folder;
  std::vector<float> clip(20000);
  for (std::size_t i = 0; i < clip.size(); ++i) clip[i] = float(i % 9973) / 32768.0f;  // exact in 16 bits
  test::write_wav(folder / "long.wav", clip, 8000);
  Echo echo(10);
  SegmentBuffers buffers;
  std::vector<float> got;
  const Cutting c{.samples = 10, .hop = 9001};
  const auto count = extract_file(
      audio::AudioReader(folder / "long.wav", 8000), echo, c, buffers,
      [&](std::span<const float> rows, std::int64_t) { got.insert(got.end(), rows.begin(), rows.end()); },
      nullptr);
  ASSERT_EQ(count, 3);
  ASSERT_EQ(got.size(), 30u);
  EXPECT_EQ(got[10], clip[9001]);
  EXPECT_EQ(got[29], clip[18011]);
  EXPECT_LE(buffers.samples.size(), 10u);
}

DatasetOptions parse(const std::string& yaml) {
  const auto node = config::parse_text(yaml, "a.yaml", ".");
  return schema(config::of<DatasetOptions>{}).parse(config::Reader(node));
}

TEST(Segments, AreAskedForInSeconds) {
  const auto plain = parse("{path: x}").cutting(22050);
  EXPECT_EQ(plain.samples, 66150);
  EXPECT_EQ(plain.hop, 66150);
  EXPECT_EQ(plain.tolerance, 0);
  EXPECT_FALSE(plain.pad_short);
  const auto c =
      parse("{path: x, segment: {seconds: 2, hop_seconds: 0.5, pad: repeat, remainder: pad}}").cutting(1000);
  EXPECT_EQ(c.samples, 2000);
  EXPECT_EQ(c.hop, 500);
  EXPECT_EQ(c.tolerance, 50);
  EXPECT_TRUE(c.pad_short && c.pad_remainder && c.repeat && !c.whole);
  EXPECT_TRUE(parse("{path: x, segment: {seconds: whole, length_seconds: 10}}").cutting(1000).whole);
}

TEST(Segments, WithoutThemADumpIsWhatItWas) {
  const auto dump = config::to_yaml(schema(config::of<DatasetOptions>{}).dump(parse("{path: x}")));
  EXPECT_EQ(dump.find("segment:"), dump.npos) << dump;
  const auto options = parse("{path: x, segment: {seconds: 2}}");
  const auto with = config::to_yaml(schema(config::of<DatasetOptions>{}).dump(options));
  EXPECT_NE(with.find("segment:"), with.npos) << with;
}

TEST(Segments, WrongOnesAreRefusedWithTheirPlace) {
  const auto refused = [](const std::string& segment) {
    return test::complaint([&] { parse("{path: x, segment: " + segment + "}"); });
  };
  EXPECT_CONTAINS(refused("{seconds: 0}"),
                  "segment.seconds: must be greater than 0 and at most 3600, or whole");
  EXPECT_CONTAINS(refused("{seconds: all}"),
                  "segment.seconds: must be a number of seconds, or whole, not 'all'");
  EXPECT_CONTAINS(refused("{hop_seconds: -1}"), "segment.hop_seconds: must be greater than 0");
  EXPECT_CONTAINS(refused("{seconds: 3, hop_seconds: 0.01}"),
                  "hop_seconds is less than a hundredth of seconds");
  EXPECT_CONTAINS(refused("{short: cut}"), "segment.short: must be one of pad, drop, error");
  EXPECT_CONTAINS(refused("{seconds: whole, hop_seconds: 1}"), "hop_seconds does not apply");
  EXPECT_CONTAINS(refused("{seconds: 2, length_seconds: 1}"), "length_seconds is for seconds: whole");
  EXPECT_CONTAINS(test::complaint([&] { parse("{path: x, segment_seconds: 5, segment: {seconds: 2}}"); }),
                  "exclude each other");
}

TEST(Segments, CountsSayWhatBecameOfTheClips) {
  SegmentCounts counts;
  EXPECT_EQ(describe(counts), "");
  Cutting c{100, 100, 5, false, false, false, false};
  for (const std::int64_t n : {100, 97, 40, 250, 299}) counts.add(c.cut(n), 10);
  EXPECT_EQ(counts.clips, 5);
  EXPECT_EQ(counts.segments, 1 + 1 + 0 + 2 + 3);
  EXPECT_EQ(counts.short_clips_dropped, 1);
  EXPECT_EQ(counts.padded_within_tolerance, 2);
  EXPECT_EQ(counts.remainders_dropped, 1);
  EXPECT_DOUBLE_EQ(counts.seconds_dropped, 4 + 5);
  EXPECT_EQ(
      describe(counts),
      "segments: 7 of 5 clips: 1 short clip is dropped, 2 last segments are padded within the tolerance, 1 "
      "remainder is dropped (9.0 s of sound in all are left out)");
}

}  // namespace
}  // namespace timbre::data
