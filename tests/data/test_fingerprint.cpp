// Fingerprints and what they match: planted copies, silence, threads, what is kept, what it costs to survey.
#include <algorithm>
#include <bit>
#include <cstdio>
#include <map>
#include <numeric>
#include <set>

#include "audio/decode.hpp"
#include "audio/synthetic.hpp"
#include "audio_file.hpp"
#include "core/philox.hpp"
#include "data/fingerprint_match.hpp"
#include "data/split.hpp"
#include "data/survey.hpp"
#include "support.hpp"

namespace timbre::data {
namespace {

using namespace test;

constexpr int rate = 22050;

std::vector<float> made_up(int genre, int clip, double seconds = 12) {
  audio::SyntheticOptions o;
  o.clip_seconds = seconds;
  return audio::synthesize(o, genre, clip);
}

/// Band noise in slow motion: no two seeds are alike, and nothing in it repeats.
std::vector<float> noise(std::uint64_t seed, double seconds) {
  PhiloxSequence random(seed, 91);
  std::vector<float> out(std::size_t(seconds * rate));
  float low = 0;
  for (auto& v : out) low += 0.2f * (float(random.uniform(-1, 1)) - low), v = low;
  return out;
}

ClipIndex index_of(const std::filesystem::path& root) {
  DatasetOptions o;
  o.path = root;
  return index_clips(o);
}

TEST(Fingerprint, IsKeptAndReadBack) {
  TempFolder root;
  write_audio(root / "a.wav", made_up(0, 0), rate, wav);
  Fingerprinter make;
  const auto print = make.of(root / "a.wav");
  EXPECT_EQ(print.frames, 12 * rate);
  EXPECT_EQ(print.sample_rate, rate);
  // (12 s at 5,512.5 Hz less the filter's 7 samples and a frame) / hop, less the four frames before the first word.
  EXPECT_EQ(print.words.size(), std::size_t((12 * 5512.5 - 7 - 1024) / 256) + 1 - 4);
  EXPECT_EQ(print, make.of(root / "a.wav"));  // nothing is left of the last file
  auto bytes = pack(print, "hash of the file");
  Fingerprint again;
  ASSERT_TRUE(unpack(bytes, "hash of the file", again));
  EXPECT_EQ(again, print);
  for (const std::size_t at : {std::size_t{3}, bytes.size() / 2, bytes.size() - 1}) {
    auto damaged = bytes;
    damaged[at] = char(damaged[at] ^ 4);
    EXPECT_FALSE(unpack(damaged, "hash of the file", again)) << at;
  }
  EXPECT_FALSE(unpack(bytes.substr(0, bytes.size() - 5), "hash of the file", again));
  EXPECT_FALSE(unpack("", "hash of the file", again));
  EXPECT_FALSE(unpack(bytes, "hash of another", again));
  EXPECT_EQ(make.of(root / "none.wav").reason, "no such file");
  write_text(root / "b.wav", "not audio at all, not audio at all");
  EXPECT_FALSE(make.of(root / "b.wav").reason.empty());
}

TEST(Fingerprint, FindsPlantedPairsAndNoOthers) {
  TempFolder root;
  std::vector<std::filesystem::path> files;
  const auto add = [&](const std::string& name, const std::vector<float>& x, int format, int at = rate,
                       double level = -1) {
    files.push_back(root / name);
    write_audio(files.back(), x, at, format, level);
  };
  constexpr int songs = 10;
  std::vector<std::vector<float>> all;
  for (int g = 0; g < songs; ++g)
    all.push_back(made_up(g, 3)), add(fmt::format("{}.wav", g), all.back(), wav);
  const auto resampled = [&](const std::filesystem::path& from, int to) { return audio::read_all(from, to); };
  add("copy.flac", all[0], flac);
  add("coded.mp3", all[1], mp3, rate, kilobits_128);
  add("later.wav", {all[2].begin() + 2 * rate, all[2].end()}, wav);
  auto louder = all[3];
  for (auto& v : louder) v *= 1.122f;  // 1 dB
  add("louder.wav", louder, wav);
  add("double.wav", resampled(files[4], 44100), wav, 44100);
  add("back.wav", resampled(files[files.size() - 1], rate), wav);
  std::vector<float> silent(std::size_t(3 * rate), 0.0f);
  silent.insert(silent.end(), all[5].begin(), all[5].end());
  add("silent.wav", silent, wav);
  add("short.wav", {all[6].begin() + 5 * rate + 77, all[6].begin() + 8 * rate}, wav);
  add("nothing1.wav", std::vector<float>(std::size_t(9 * rate), 0.0f), wav);
  add("nothing2.wav", std::vector<float>(std::size_t(9 * rate), 0.0f), wav);

  Fingerprinter make;
  std::vector<Fingerprint> prints;
  for (const auto& f : files) {
    prints.push_back(make.of(f));
    EXPECT_EQ(prints.back().reason, "") << f;
  }
  ThreadPool one(1), three(3);
  const auto found = match_fingerprints(prints, one);
  EXPECT_EQ(found, match_fingerprints(prints, three));
  const std::vector<std::pair<int, int>> expected{{0, 10}, {1, 11}, {2, 12}, {3, 13}, {4, 14},
                                                  {4, 15}, {5, 16}, {6, 17}, {14, 15}};
  std::vector<std::pair<int, int>> pairs;
  for (const auto& m : found) {
    pairs.emplace_back(m.a, m.b);
    std::printf("%s and %s: error rate %.3f, offset %.2f s\n", files[std::size_t(m.a)].filename().c_str(),
                files[std::size_t(m.b)].filename().c_str(), m.error_rate, m.offset_seconds);
    EXPECT_EQ(m.same_audio, m.b == 10 || m.b == 16) << m.b;
    EXPECT_LT(m.error_rate, 0.16);
    EXPECT_NEAR(m.offset_seconds, m.b == 12 ? 2 : m.b == 16 ? -3 : m.b == 17 ? 5 : 0, 0.05) << m.b;
  }
  EXPECT_EQ(pairs, expected);

  // The margin: what comes nearest without being planted, at any offset.
  double nearest = 1;
  for (int a = 0; a < songs; ++a)
    for (int b = a + 1; b < songs; ++b)
      for (std::int64_t offset = -150; offset <= 150; ++offset) {
        bool accepted = false;
        nearest = std::min(nearest, error_rate_at(prints[std::size_t(a)].words, prints[std::size_t(b)].words,
                                                  offset, accepted));
        EXPECT_FALSE(accepted) << a << " " << b << " " << offset;
      }
  std::printf("nearest unrelated pair: error rate %.3f\n", nearest);
  EXPECT_GT(nearest, 0.33);
}

TEST(Fingerprint, IsFoundBehindManyCopiesOfTheSameSound) {
  PhiloxSequence random(3, 9);
  Fingerprint song{.frames = 10 * rate, .sample_rate = rate, .audio = "song"};
  for (int i = 0; i < 900; ++i) song.words.push_back(std::uint32_t(random.uniform(1, 4e9)));
  std::vector<Fingerprint> prints(80, song);
  auto coded = song;
  coded.audio = "coded";
  for (std::size_t i = 0; i < coded.words.size(); i += 3) coded.words[i] ^= 1u << i % 32;
  prints.push_back(coded);
  ThreadPool pool(2);
  const auto found = match_fingerprints(prints, pool);
  EXPECT_EQ(found.size(), 80u);  // 79 copies, and
  EXPECT_TRUE(std::any_of(found.begin(), found.end(),
                          [](const Match& m) { return m.a == 0 && m.b == 80 && !m.same_audio; }));
}

TEST(Fingerprint, OfLongOverlapsNeedsFiveSecondsAndOfShortOnesFewerErrors) {
  // Bits flipped at a rate, in words drawn at random.
  PhiloxSequence random(5, 92);
  std::vector<std::uint32_t> words;
  for (int i = 0; i < 400; ++i) words.push_back(random.next() | 1u);
  const auto with_errors = [&](std::vector<std::uint32_t> w, double share) {
    for (auto& word : w)
      for (int bit = 1; bit < 32; ++bit) word ^= std::uint32_t(random.uniform() < share) << bit;
    return w;
  };
  bool accepted = false;
  EXPECT_NEAR(error_rate_at(words, with_errors(words, 0.25), 0, accepted), 0.25, 0.02);
  EXPECT_TRUE(accepted);
  error_rate_at(words, with_errors(words, 0.36), 0, accepted);
  EXPECT_FALSE(accepted);
  const std::vector<std::uint32_t> piece(words.begin() + 100, words.begin() + 150);
  error_rate_at(words, with_errors(piece, 0.15), 100, accepted);
  EXPECT_TRUE(accepted);
  error_rate_at(words, with_errors(piece, 0.25), 100, accepted);
  EXPECT_FALSE(accepted);
  EXPECT_EQ(error_rate_at(words, piece, 390, accepted), 1);
  // Five seconds that are shared by clips that differ elsewhere.
  std::vector<std::uint32_t> other;
  for (int i = 0; i < 400; ++i) other.push_back(random.next() | 1u);
  std::copy(words.begin() + 200, words.begin() + 320, other.begin() + 200);
  EXPECT_LT(error_rate_at(words, other, 0, accepted), 0.01);
  EXPECT_TRUE(accepted);
}

/// A tree of clips, some of them copies, and what a survey makes of it.
struct Planted {
  TempFolder root;
  ClipIndex index;
  Planted() {
    for (int label = 0; label < 2; ++label)
      for (int i = 0; i < 12; ++i) {
        const auto name = root / (label ? "b" : "a") / fmt::format("{:02}.wav", i);
        // 10 and 11 are 0 and 1 again: later by a second, and louder.
        auto x = noise(std::uint64_t(label * 100 + i % 10), 7);
        if (i == 10) x.erase(x.begin(), x.begin() + rate);
        if (i == 11)
          for (auto& v : x) v *= 1.12f;
        write_audio(name, x, rate, wav);
      }
    write_audio(root / "b" / "short.wav", noise(900, 1), rate, wav);
    write_text(root / "b" / "text.wav", "this is no sound");
    index = index_of(root.path());
  }
};

TEST(Survey, FindsRelatedClipsOnceAndKeepsWhatItFound) {
  const Planted data;
  TempFolder kept;
  ThreadPool pool(2), one(1);
  std::int64_t made = 0;
  ExtractionHooks hooks;
  hooks.progress = [&](std::int64_t done, std::int64_t) { made = done; };
  const auto first = survey_clips(data.index, kept.path(), pool, hooks);
  EXPECT_EQ(made, 26);
  made = 0;
  const auto again = survey_clips(data.index, kept.path(), one, hooks);
  EXPECT_EQ(made, 0);  // nothing had to be made
  EXPECT_EQ(first.related.pairs, again.related.pairs);
  EXPECT_TRUE(first.related.looked);
  std::set<std::pair<std::string, std::string>> pairs;
  for (const auto& p : first.related.pairs) {
    pairs.emplace(p.clip_a, p.clip_b);
    EXPECT_FALSE(p.same_audio);
  }
  EXPECT_EQ(pairs, (std::set<std::pair<std::string, std::string>>{{"a/00.wav", "a/10.wav"},
                                                                  {"a/01.wav", "a/11.wav"},
                                                                  {"b/00.wav", "b/10.wav"},
                                                                  {"b/01.wav", "b/11.wav"}}));
  // Without a folder nothing is kept anywhere.
  TempFolder here;
  const auto before = std::filesystem::current_path();
  std::filesystem::current_path(here.path());
  EXPECT_EQ(survey_clips(data.index, {}, pool).related.pairs, first.related.pairs);
  std::filesystem::current_path(before);
  EXPECT_TRUE(std::filesystem::is_empty(here.path()));
  // A damaged file of the store is made again.
  for (const auto& entry : std::filesystem::recursive_directory_iterator(kept.path()))
    if (entry.is_regular_file()) {
      write_text(entry.path(), "damaged");
      break;
    }
  EXPECT_EQ(survey_clips(data.index, kept.path(), pool).related.pairs, first.related.pairs);
}

TEST(Survey, TellsTheRowsThatAnExtractionGives) {
  const Planted data;
  ThreadPool pool(2);
  DatasetOptions dataset;
  dataset.path = data.root.path(), dataset.segment_seconds = 2;
  for (const int at : {22050, 16000, 44100}) {
    features::FeatureOptions options;
    options.sample_rate = at;
    TempFolder store;
    const auto expected = expected_table(data.index, dataset, options, survey_clips(data.index, {}, pool));
    const auto table = prepare_features(data.index, dataset, options, store.path(), pool);
    EXPECT_EQ(expected.label, table.label);
    EXPECT_EQ(expected.clip, table.clip);
    EXPECT_EQ(expected.segment, table.segment);
    EXPECT_EQ(expected.bad_files, table.bad_files);
    EXPECT_EQ(table.bad_files.size(), 2u);
  }
}

TEST(Survey, KnowsTheLengthOfWhatIsResampled) {
  TempFolder root;
  for (const int from : {8000, 11025, 22050, 44100, 48000})
    for (const int frames : {1001, 7777, 32768, 50001}) {
      write_audio(root / "a" / "x.wav", std::vector<float>(std::size_t(frames), 0.1f), from, wav);
      for (const int to : {8000, 16000, 22050}) {
        const auto samples = std::ssize(audio::read_all(root / "a" / "x.wav", to));
        EXPECT_EQ(samples, from == to ? frames : std::llround(double(frames) * to / from))
            << frames << " from " << from << " to " << to;
      }
    }
}

TEST(Survey, PlantedPairsNeverStraddle) {
  const Planted data;
  ThreadPool pool(2);
  const auto survey = survey_clips(data.index, {}, pool);
  DatasetOptions dataset;
  dataset.path = data.root.path(), dataset.segment_seconds = 2;
  const auto table = expected_table(data.index, dataset, {}, survey);
  for (const bool by_artist : {false, true}) {
    auto clips = table;
    SplitOptions options;
    if (by_artist) {
      options.group_by = "artist";
      for (std::size_t i = 0; i < clips.clips.size(); ++i) clips.clips[i].group = fmt::format("{}", i / 2);
    }
    for (std::uint64_t seed = 0; seed < 100; ++seed) {
      const auto split = make_split(options, clips, seed);
      EXPECT_FALSE(split.leaks);
      EXPECT_EQ(split.related.size(), 4u);
      for (const auto& s : split.shares)
        if (s.relation == "related") {
          EXPECT_EQ(s.found, 0) << s.part << " " << s.other << " " << seed;
        }
    }
  }
  // Without the guard they do.
  auto blind = table;
  blind.related.pairs.clear();
  int apart = 0;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    const auto split = make_split({}, blind, seed);
    std::map<std::string, int> part;
    for (std::size_t i = 0; i < blind.clips.size(); ++i) part[blind.clips[i].path] = split.clip_parts[i];
    apart += part["a/00.wav"] != part["a/10.wav"];
  }
  EXPECT_GT(apart, 20);
}

TEST(Survey, OfListsThatPartACopySaysThatTheyLeak) {
  const Planted data;
  ThreadPool pool(2);
  DatasetOptions dataset;
  dataset.path = data.root.path(), dataset.segment_seconds = 2;
  const auto table = expected_table(data.index, dataset, {}, survey_clips(data.index, {}, pool));
  TempFolder lists;
  write_text(lists / "train.txt", "a/00\na/01\na/02\nb/00\nb/02\n");
  write_text(lists / "valid.txt", "a/03\na/11\nb/03\n");
  write_text(lists / "test.txt", "a/10\na/04\nb/04\nb/05\n");
  SplitOptions options;
  options.lists = SplitLists{lists / "train.txt", lists / "test.txt", lists / "valid.txt"};
  const auto split = make_split(options, table, 0);
  EXPECT_TRUE(split.leaks);
  EXPECT_EQ(split.clip_share_in_train, 0);
  std::map<std::string, std::pair<std::int64_t, std::int64_t>> found;
  for (const auto& s : split.shares)
    if (s.relation == "related") found[s.part + " in " + s.other] = {s.found, s.known};
  EXPECT_EQ(found["test in train"], std::pair(std::int64_t{1}, std::int64_t{4}));
  EXPECT_EQ(found["validation in train"], std::pair(std::int64_t{1}, std::int64_t{3}));
  EXPECT_EQ(found["test in validation"], std::pair(std::int64_t{0}, std::int64_t{4}));
  ASSERT_FALSE(split.leak_notes.empty());
  EXPECT_CONTAINS(split.leak_notes[0], "1 of 4 test clips (25%) have a copy or near duplicate in train");
}

TEST(LeakShares, TellHowManyWereKnownAndFollowChains) {
  // 0 and 2 are related through 1, which is in no part; the artist of clip 3 is not known.
  const std::vector<std::uint8_t> parts{1, 0, 4, 4, 2, 4};
  const std::vector<std::string> artists{"x", "x", "y", "", "y", "x"};
  const auto leaks = measure_leaks(parts, artists, std::vector<std::size_t>{0, 0, 0, 3, 4, 5}, true);
  EXPECT_EQ(leaks.of("test", "train", "related").found, 1);
  EXPECT_EQ(leaks.of("test", "train", "related").known, 3);
  EXPECT_EQ(leaks.of("test", "train", "artist").found, 1);
  EXPECT_EQ(leaks.of("test", "train", "artist").known, 2);
  EXPECT_EQ(leaks.of("test", "validation", "artist").found, 1);
  EXPECT_EQ(leaks.of("validation", "train", "artist").share(), 0);
  EXPECT_EQ(leaks.exposure[2], Exposure::related);
  EXPECT_EQ(leaks.exposure[3], Exposure::unknown);
  EXPECT_EQ(leaks.exposure[5], Exposure::artist);
  EXPECT_TRUE(std::isnan(measure_leaks(parts, artists, std::vector<std::size_t>(6, 0), false)
                             .of("test", "train", "related")
                             .share()));
}

}  // namespace
}  // namespace timbre::data
