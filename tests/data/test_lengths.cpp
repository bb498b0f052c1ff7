// Clips of any length in one set: a tenth of a second beside forty seconds, and a set of which no clip is a whole segment.
#include <set>

#include "data/feature_store.hpp"
#include "data/split.hpp"
#include "data/survey.hpp"
#include "support.hpp"

namespace timbre::data {
namespace {

using test::TempFolder;
using test::tone;
using test::write_wav;

class Lengths : public testing::Test {
 protected:
  Lengths() {
    options.kind = "log_mel";
    options.sample_rate = 8000, options.n_fft = 512, options.hop_length = 512, options.n_mels = 8;
  }
  /// Of each of two genres one clip of each length, all of which sound different.
  void write_clips(const std::vector<double>& seconds) {
    int which = 0;
    for (const char* genre : {"high", "low"})
      for (std::size_t i = 0; i < seconds.size(); ++i)
        write_wav(root / fmt::format("songs/{}/{:02}.wav", genre, i), tone(seconds[i], which++));
    dataset.path = root / "songs";
  }
  void segment(const std::string& yaml) {
    const auto node = config::parse_text(yaml, "test", ".");
    dataset.segment = schema(config::of<SegmentOptions>{}).parse(config::Reader(node));
  }
  FeatureSet load() {
    ThreadPool pool(2);
    const auto index = index_clips(dataset);
    resolve_segments(dataset, index);
    auto set = load_features(index, dataset, options, root / "store", pool);
    const auto survey = survey_clips(index, {}, pool);
    expected = expected_table(index, dataset, options, survey);
    counts = expected.cuts;
    set.related = survey.related;
    return set;
  }
  std::vector<int> rows_of_clips(const FeatureSet& set) {
    std::vector<int> out(set.clips.size());
    for (const auto c : set.clip) ++out[std::size_t(c)];
    return out;
  }
  TempFolder root;
  DatasetOptions dataset;
  features::FeatureOptions options;
  FeatureTable expected;
  SegmentCounts counts;
};

TEST_F(Lengths, ATenthOfASecondAndFortySecondsAreOneSet) {
  write_clips({0.1, 0.5, 2.97, 3, 7.5, 40});
  segment("{seconds: 3}");
  const auto set = load();
  EXPECT_EQ(rows_of_clips(set), (std::vector<int>{1, 1, 1, 1, 2, 13, 1, 1, 1, 1, 2, 13}));
  EXPECT_TRUE(set.bad_files.empty());
  EXPECT_EQ(expected.clip, set.clip);  // a dry run counts as the extraction does
  EXPECT_EQ(counts.short_clips_padded, 4);
  EXPECT_EQ(counts.padded_within_tolerance, 2);
  EXPECT_EQ(counts.remainders_dropped, 4);
  EXPECT_NEAR(counts.seconds_dropped, 2 * (1.5 + 1), 1e-6);

  segment("{seconds: 3, short: drop, remainder: pad}");
  const auto dropped = load();
  EXPECT_EQ(rows_of_clips(dropped), (std::vector<int>{1, 1, 3, 14, 1, 1, 3, 14}));
  EXPECT_EQ(dropped.bad_files.size(), 4u);
}

TEST_F(Lengths, ASetOfWhichNoClipIsAWholeSegmentKeepsEveryClip) {
  write_clips({2.98, 2.981, 2.985, 2.99, 2.995, 2.999, 2.5, 2.9});
  segment("{seconds: 3}");
  const auto set = load();
  EXPECT_EQ(set.rows(), 16);
  EXPECT_EQ(counts.padded_within_tolerance, 12);
  EXPECT_EQ(counts.short_clips_padded, 4);
  segment("{seconds: 3, short: drop}");
  EXPECT_EQ(load().rows(), 12);  // the tolerance alone
}

TEST_F(Lengths, OverlappingSegmentsOfAClipStayInOnePart) {
  write_clips({0.4, 1, 1.5, 2, 2.25, 3, 4, 5, 6, 8});
  segment("{seconds: 1, hop_seconds: 0.25}");
  const auto set = load();
  EXPECT_EQ(rows_of_clips(set),
            (std::vector<int>{1, 1, 3, 5, 6, 9, 13, 17, 21, 29, 1, 1, 3, 5, 6, 9, 13, 17, 21, 29}));
  SplitOptions o;
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    const auto split = make_split(o, set, seed);
    std::vector<std::set<std::int32_t>> clips;
    for (const auto* rows : {&split.train, &split.validation, &split.test}) {
      clips.emplace_back();
      for (const auto r : *rows) clips.back().insert(set.clip[std::size_t(r)]);
    }
    for (const auto c : clips[0]) EXPECT_FALSE(clips[1].contains(c) || clips[2].contains(c));
    for (const auto c : clips[1]) EXPECT_FALSE(clips[2].contains(c));
    EXPECT_EQ(clips[0].size() + clips[1].size() + clips[2].size(), 20u);
    EXPECT_EQ(split.train.size() + split.validation.size() + split.test.size(), std::size_t(set.rows()));
  }
}

}  // namespace
}  // namespace timbre::data
