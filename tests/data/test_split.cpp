#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <set>

#include "data/clip_lists.hpp"
#include "data/split.hpp"
#include "data/split_deal.hpp"
#include "support.hpp"

namespace timbre::data {
namespace {

using test::complaint;
using test::TempFolder;
using test::write_text;

/// A table of clips without audio: rows of each clip stand together.
struct Table {
  std::vector<std::string> labels;
  std::vector<Clip> clips;
  std::vector<std::int32_t> rows;

  void add(std::int32_t label, int segments, const std::string& artist = "", int fold = -1) {
    const auto& genre = labels.at(std::size_t(label));
    const auto n = std::count_if(clips.begin(), clips.end(), [&](const Clip& c) { return c.label == label; });
    clips.push_back({fmt::format("{}/{}.{:05}.wav", genre, genre, n), {}, label, artist, fold, 0});
    rows.insert(rows.end(), std::size_t(segments), std::int32_t(clips.size() - 1));
  }
  Split split(const SplitOptions& options, std::uint64_t seed = 0) const {
    return make_split(options, clips, labels, rows, seed);
  }
  std::set<std::int32_t> clips_of(const std::vector<std::int32_t>& part) const {
    std::set<std::int32_t> out;
    for (const auto r : part) out.insert(rows[std::size_t(r)]);
    return out;
  }
  std::vector<std::int64_t> clips_per_class(const std::vector<std::int32_t>& part) const {
    std::vector<std::int64_t> out(labels.size(), 0);
    for (const auto c : clips_of(part)) ++out[std::size_t(clips[std::size_t(c)].label)];
    return out;
  }
};
using Counts = std::vector<std::int64_t>;

/// Classes a, b, ...; clips have `segments` rows and one fewer by turns.
Table plain_table(const std::vector<int>& clips_per_class, int segments = 10) {
  Table t;
  for (std::size_t c = 0; c < clips_per_class.size(); ++c) t.labels.emplace_back(1, char('a' + c));
  for (std::size_t c = 0; c < clips_per_class.size(); ++c)
    for (int i = 0; i < clips_per_class[c]; ++i) t.add(std::int32_t(c), segments - i % 2);
  return t;
}

SplitOptions parse(const std::string& text) {
  const auto node = config::parse_text(text, "f.yaml", "/base");
  return schema(config::of<SplitOptions>{}).parse(node);
}
SplitOptions fractions(double train, double validation, double test) {
  SplitOptions o;
  o.train.fraction = train, o.validation.fraction = validation, o.test.fraction = test;
  return o;
}
void expect_partition(const Table& t, const Split& s) {
  std::vector<std::int32_t> all;
  for (const auto* part : {&s.train, &s.validation, &s.test}) {
    EXPECT_TRUE(std::is_sorted(part->begin(), part->end()));
    all.insert(all.end(), part->begin(), part->end());
  }
  std::sort(all.begin(), all.end());
  std::vector<std::int32_t> rows(t.rows.size());
  std::iota(rows.begin(), rows.end(), 0);
  EXPECT_EQ(all, rows);
}

TEST(LargestRemainder, RoundsToWholeNumbersThatAddUp) {
  const std::vector<double> f{0.6, 0.2, 0.2}, g{0.8, 0.1, 0.1};
  EXPECT_EQ(largest_remainder(100, f), (Counts{60, 20, 20}));
  EXPECT_EQ(largest_remainder(10, f), (Counts{6, 2, 2}));
  EXPECT_EQ(largest_remainder(7, f), (Counts{4, 2, 1}));      // 4.2 1.4 1.4: ties to the earlier part
  EXPECT_EQ(largest_remainder(4, f), (Counts{2, 1, 1}));      // 2.4 0.8 0.8
  EXPECT_EQ(largest_remainder(99, g), (Counts{79, 10, 10}));  // 79.2 9.9 9.9
  EXPECT_EQ(largest_remainder(0, f), (Counts{0, 0, 0}));
}

TEST(Split, DealsTheClipsOfEveryClassByLargestRemainder) {
  const auto t = plain_table({100, 10, 7, 13});
  const auto s = t.split({});
  expect_partition(t, s);
  EXPECT_EQ(t.clips_per_class(s.train), (Counts{60, 6, 4, 8}));  // 13: 7.8 2.6 2.6
  EXPECT_EQ(t.clips_per_class(s.validation), (Counts{20, 2, 2, 3}));
  EXPECT_EQ(t.clips_per_class(s.test), (Counts{20, 2, 1, 2}));
}

TEST(Split, ByClipSharesNoClip) {
  const auto t = plain_table({20, 20});
  const auto s = t.split({});
  EXPECT_EQ(t.clips_of(s.train).size() + t.clips_of(s.validation).size() + t.clips_of(s.test).size(), 40u);
  EXPECT_FALSE(s.leaks);
  EXPECT_EQ(s.clip_share_in_train, 0);
  EXPECT_TRUE(std::isnan(s.artist_share_in_train));
}

TEST(Split, BySegmentLeaksAndSaysSo) {
  const auto t = plain_table({20, 20});
  SplitOptions o;
  o.group_by = "segment";
  const auto s = t.split(o);
  expect_partition(t, s);
  EXPECT_EQ(s.train.size(), 228u);  // 0.6 * 190 of each class
  EXPECT_TRUE(s.leaks);
  EXPECT_GT(s.clip_share_in_train, 0.9);
  EXPECT_CONTAINS(s.leak_notes.at(0), "the split leaks");
}

TEST(Split, DependsOnSeedAndNothingElse) {
  const auto t = plain_table({30, 30, 30});
  EXPECT_EQ(t.split({}, 1).test, t.split({}, 1).test);
  EXPECT_NE(t.split({}, 1).test, t.split({}, 2).test);
  SplitOptions own;
  own.seed = 1;
  EXPECT_EQ(t.split(own, 2).test, t.split({}, 1).test);
  // Every clip gets into the test part sooner or later.
  std::set<std::int32_t> tested;
  for (std::uint64_t seed = 0; seed < 60; ++seed) tested.merge(t.clips_of(t.split({}, seed).test));
  EXPECT_EQ(tested.size(), 90u);
}

TEST(Split, WithoutStratifyDealsAllClassesTogether) {
  const auto t = plain_table({40, 40});
  SplitOptions o;
  o.stratify = false;
  bool uneven = false;
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    const auto s = t.split(o, seed);
    expect_partition(t, s);
    EXPECT_EQ(t.clips_of(s.test).size(), 16u);
    uneven |= t.clips_per_class(s.test) != Counts{8, 8};
  }
  EXPECT_TRUE(uneven);
}

/// Artists of very different sizes, one of them in two classes, some clips of nobody known.
Table artist_table(const std::string& in_two_classes = "both") {
  Table t;
  t.labels = {"a", "b", "c"};
  for (int c = 0; c < 3; ++c) {
    for (int i = 0; i < 35; ++i) t.add(c, 10, fmt::format("star of {}", c));
    for (int artist = 0; artist < 25; ++artist)
      for (int i = 0; i <= artist % 4; ++i) t.add(c, 9, fmt::format("artist {} of {}", artist, c));
    for (int i = 0; i < 5; ++i) t.add(c, 10);
    for (int i = 0; i < 2; ++i)
      t.add(c, 10,
            c < 2 ? in_two_classes + (in_two_classes == "both" ? "" : t.labels[std::size_t(c)]) : "only");
  }
  return t;
}

TEST(Split, ByArtistSharesNoArtistAndKeepsTheFractions) {
  const auto t = artist_table();
  SplitOptions o;
  o.group_by = "artist";
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const auto s = t.split(o, seed);
    expect_partition(t, s);
    std::map<std::string, std::set<int>> parts_of;
    int p = 0;
    for (const auto* part : {&s.train, &s.validation, &s.test}) {
      for (const auto c : t.clips_of(*part))
        if (const auto& artist = t.clips[std::size_t(c)].group; !artist.empty()) parts_of[artist].insert(p);
      ++p;
    }
    EXPECT_EQ(parts_of.size(), 80u);
    for (const auto& [artist, parts] : parts_of) EXPECT_EQ(parts.size(), 1u) << artist;
    EXPECT_EQ(s.artist_share_in_train, 0);
    EXPECT_FALSE(s.leaks);
    const double n = double(t.rows.size());
    EXPECT_NEAR(double(s.train.size()) / n, 0.6, 0.02) << seed;
    EXPECT_NEAR(double(s.validation.size()) / n, 0.2, 0.02) << seed;
    EXPECT_CONTAINS(s.notes.at(0), " clips; each is a group of its own");
  }
}

TEST(Split, ByArtistDealsArtistsByLargestRemainder) {
  const auto t = artist_table("one of ");
  SplitOptions o;
  o.group_by = "artist";
  const auto s = t.split(o, 3);
  Counts groups;
  for (const auto* part : {&s.train, &s.validation, &s.test}) {
    std::set<std::string> seen;
    for (const auto c : t.clips_of(*part)) {
      const auto& clip = t.clips[std::size_t(c)];
      if (clip.label == 2) seen.insert(clip.group.empty() ? clip.path : clip.group);
    }
    groups.push_back(std::ssize(seen));
  }
  // Class c: the star, 25 artists, 5 unknown, "only"; 32 are 19.2, 6.4, 6.4.
  EXPECT_EQ(groups, (Counts{19, 7, 6}));
}

TEST(Split, ByClipStillTellsTheArtistShare) {
  Table t;
  t.labels = {"a", "b"};
  for (int c = 0; c < 2; ++c)
    for (int i = 0; i < 20; ++i) t.add(c, 10, fmt::format("artist {} of {}", i / 10, c));
  const auto s = t.split({});
  EXPECT_EQ(s.artist_share_in_train, 1);
  EXPECT_FALSE(s.leaks);
  EXPECT_CONTAINS(s.leak_notes.at(0), "group_by: artist avoids it");
}

TEST(Split, ByArtistNeedsArtists) {
  SplitOptions o;
  o.group_by = "artist";
  EXPECT_CONTAINS(complaint([&] { plain_table({9, 9}).split(o); }), "split.group_by: artist needs artists");
}

TEST(Split, OfTooFewIsRefused) {
  EXPECT_CONTAINS(complaint([] {
                    plain_table({10, 1}).split({});
                  }),
                  "split: the class 'b' has 1 clip; train, validation");
  EXPECT_CONTAINS(complaint([] {
                    plain_table({2, 10}).split({});
                  }),
                  "split: the class 'a' has 2 clips; train, validation");
  EXPECT_CONTAINS(complaint([] {
                    plain_table({4, 4}).split(fractions(0.98, 0.01, 0.01));
                  }),
                  "the validation part is empty");
  const auto s = plain_table({40, 3}).split(fractions(0.8, 0.1, 0.1));  // b: 2.4 0.3 0.3, all three train
  EXPECT_EQ(s.notes, (std::vector<std::string>{"validation holds nothing of b", "test holds nothing of b"}));
  // Segments of one clip can be shared, clips cannot.
  SplitOptions segments;
  segments.group_by = "segment";
  EXPECT_EQ(plain_table({10, 1}).split(segments).leaks, true);
}

TEST(Folds, ArePartsOfEqualSizeThatTestEverythingOnce) {
  const auto t = plain_table({20, 13, 7});
  SplitOptions o;
  o.folds = 5;
  std::vector<std::int32_t> tested;
  std::vector<Split> splits;
  for (o.fold = 0; o.fold < 5; ++o.fold) {
    splits.push_back(t.split(o));
    const auto& s = splits.back();
    expect_partition(t, s);
    EXPECT_EQ(t.clips_per_class(s.test)[0], 4);
    EXPECT_EQ(t.clips_of(s.test).size(), 8u);
    for (const auto c : t.clips_of(s.test)) tested.push_back(c);
  }
  for (std::size_t i = 0; i < 5; ++i) EXPECT_EQ(splits[i].validation, splits[(i + 1) % 5].test);
  EXPECT_EQ(tested.size(), 40u);
  EXPECT_EQ(std::set(tested.begin(), tested.end()).size(), 40u);
}

TEST(Folds, OfArtistsShareNone) {
  const auto t = artist_table();
  SplitOptions o;
  o.folds = 4, o.group_by = "artist";
  std::size_t tested = 0;
  for (o.fold = 0; o.fold < 4; ++o.fold) {
    const auto s = t.split(o);
    expect_partition(t, s);
    EXPECT_EQ(s.artist_share_in_train, 0);
    tested += s.test.size();
  }
  EXPECT_EQ(tested, t.rows.size());
}

TEST(Folds, OfAManifestAreFollowed) {
  Table t;
  t.labels = {"a", "b"};
  for (int c = 0; c < 2; ++c)
    for (int i = 0; i < 6; ++i) t.add(c, 2, "", i % 3);
  SplitOptions o;
  o.folds = 3, o.fold = 2;
  const auto s = t.split(o);
  expect_partition(t, s);
  for (const auto c : t.clips_of(s.test)) EXPECT_EQ(t.clips[std::size_t(c)].fold, 2);
  for (const auto c : t.clips_of(s.validation)) EXPECT_EQ(t.clips[std::size_t(c)].fold, 0);
  t.clips[3].fold = -1;
  EXPECT_CONTAINS(complaint([&] { t.split(o); }),
                  "'a/a.00003.wav' has nothing in the manifest's fold column");
}

TEST(Folds, OfAManifestHaveItsNames) {
  Table t;
  t.labels = {"a", "b"};
  for (int c = 0; c < 2; ++c)
    for (int i = 0; i < 6; ++i) t.add(c, 2, "", i % 3);
  const ManifestNames names{{}, {"a", "b", "c"}};
  SplitOptions o;
  o.folds = 3;
  EXPECT_EQ(make_split(o, t.clips, t.labels, t.rows, 0, {}, {}, names).test.size(), 8u);
  o.folds = 5;
  EXPECT_EQ(complaint([&] { make_split(o, t.clips, t.labels, t.rows, 0, {}, {}, names); }),
            "split.folds: 5: the manifest's fold column names 3 folds: a, b, c");
  o.folds.reset();
  const auto s = make_split(o, t.clips, t.labels, t.rows, 0, {}, {}, names);
  ASSERT_FALSE(s.notes.empty());
  EXPECT_EQ(s.notes.back(), "the manifest's fold column is not used (split.folds: 3 follows it)");
}

TEST(Lists, WithoutValidationHaveFoldsInsideTrain) {
  TempFolder root;
  Table t;
  t.labels = {"a", "b"};
  for (int c = 0; c < 2; ++c)
    for (int i = 0; i < 14; ++i) t.add(c, 2, fmt::format("artist {} {}", c, i / 2));
  std::string train, test;
  for (std::size_t i = 0; i < t.clips.size(); ++i) (i % 14 < 10 ? train : test) += t.clips[i].path + "\n";
  write_text(root / "train.txt", train), write_text(root / "test.txt", test);
  SplitOptions o;
  o.lists = SplitLists{root / "train.txt", root / "test.txt", std::nullopt};
  o.folds = 5, o.group_by = "artist";
  std::set<std::int32_t> validated;
  std::vector<std::int32_t> tested;
  for (o.fold = 0; o.fold < 5; ++o.fold) {
    const auto s = make_split(o, t.clips, t.labels, t.rows, 0);
    expect_partition(t, s);
    if (o.fold == 0) tested = s.test;
    EXPECT_EQ(s.test, tested) << "one test part for all folds";
    EXPECT_EQ(tested.size(), 16u);
    std::set<std::string> artists;
    for (const auto c : t.clips_of(s.train)) artists.insert(t.clips[std::size_t(c)].group);
    for (const auto c : t.clips_of(s.validation)) {
      EXPECT_FALSE(artists.contains(t.clips[std::size_t(c)].group));
      EXPECT_TRUE(validated.insert(c).second) << "each clip of train validates once";
    }
    for (const auto& n : s.notes) EXPECT_FALSE(test::contains(n, "does not apply")) << n;
  }
  EXPECT_EQ(validated.size(), 20u);
  EXPECT_CONTAINS(complaint([] { parse("{lists: {train: a, test: b}}"); }),
                  "lists without validation need folds");
  EXPECT_CONTAINS(complaint([] { parse("{lists: {train: a, test: b}, folds: 1}"); }), "at least 2");
  EXPECT_CONTAINS(complaint([] { parse("{lists: {train: a, validation: c, test: b}, folds: 5}"); }),
                  "exclude each other");
}

TEST(By, AColumnIsDealtWhole) {
  Table t;
  t.labels = {"a", "b"};
  for (int c = 0; c < 2; ++c)
    for (int i = 0; i < 20; ++i) t.add(c, 2, "", -1);
  for (std::size_t i = 0; i < t.clips.size(); ++i)
    t.clips[i].columns = {"take", i == 7 ? "" : fmt::format("speaker {}", i % 5)};
  const ManifestNames names{{"kind", "speaker"}, {}};
  SplitOptions o;
  o.by = "speaker";
  const auto s = make_split(o, t.clips, t.labels, t.rows, 0, {}, {}, names);
  std::map<std::string, std::set<int>> parts;
  for (const auto& [part, rows] : {std::pair{0, &s.train}, {1, &s.validation}, {2, &s.test}})
    for (const auto c : t.clips_of(*rows)) parts[t.clips[std::size_t(c)].columns[1]].insert(part);
  EXPECT_EQ(parts.size(), 6u);
  for (const auto& [speaker, in] : parts) {
    if (!speaker.empty()) {
      EXPECT_EQ(in.size(), 1u) << speaker;
    }
  }
  // Inference counts speakers, not clips.
  EXPECT_EQ(std::set(s.unit.begin(), s.unit.end()).size(), 6u);
  EXPECT_TRUE(std::any_of(s.notes.begin(), s.notes.end(), [](const auto& n) {
    return n == "1 of 40 clips have nothing in the column 'speaker'; each is a group of its own";
  }));
  o.by = "speakers";
  EXPECT_CONTAINS(
      complaint([&] { make_split(o, t.clips, t.labels, t.rows, 0, {}, {}, names); }),
      "split.by: the manifest has no column 'speakers'; did you mean 'speaker'? it has: kind, speaker");
  EXPECT_CONTAINS(complaint([] { parse("{by: speaker, group_by: artist}"); }), "exclude each other");
}

TEST(Lists, MatchByGenreAndStemAndCountWhatDoesNotFit) {
  TempFolder root;
  const Table t = plain_table({6, 6}, 3);
  write_text(
      root / "train.txt",
      "# a comment\r\na/a.00000.au\r\na\\a.00001.mp3\r\nb/b.00000.wav\r\nb/b.00001\r\na/nowhere.wav\r\n");
  write_text(root / "valid.txt", "a/a.00002.wav\nb/b.00002.wav\nx/y/b/b.00003.wav\n");
  write_text(root / "test.txt", "a.00004.wav\nb/b.00004.wav\nb/broken.wav");
  SplitOptions o;
  o.lists = SplitLists{root / "train.txt", root / "test.txt", root / "valid.txt"};
  const auto s = make_split(o, t.clips, t.labels, t.rows, 0, {"b/broken.au"});
  EXPECT_EQ(t.clips_of(s.train), (std::set<std::int32_t>{0, 1, 6, 7}));
  EXPECT_EQ(t.clips_of(s.validation), (std::set<std::int32_t>{2, 8, 9}));
  EXPECT_EQ(t.clips_of(s.test), (std::set<std::int32_t>{4, 10}));
  ASSERT_TRUE(s.lists);
  EXPECT_EQ(s.lists->entries, 11);
  EXPECT_EQ(s.lists->not_on_disk, 1);
  EXPECT_EQ(s.lists->unreadable, 1);
  EXPECT_EQ(s.lists->in_no_list, 3);
  EXPECT_CONTAINS(s.notes.at(0), "1 of 11 list entries are not on disk");

  // The same, with the files in place of the fractions.
  SplitOptions short_form;
  short_form.train.list = root / "train.txt", short_form.validation.list = root / "valid.txt";
  short_form.test.list = root / "test.txt";
  EXPECT_EQ(t.split(short_form).train, s.train);

  write_text(root / "test.txt", "\na/a.00000.wav\n");
  EXPECT_EQ(complaint([&] { t.split(o); }), (root / "test.txt").string() + ":2: 'a/a.00000.wav' stands in " +
                                                (root / "train.txt").string() +
                                                ":2 already; a clip belongs to one part");
  write_text(root / "test.txt", "c/c.00000.wav\n");
  EXPECT_CONTAINS(complaint([&] { t.split(o); }),
                  "the test part is empty: none of the clips its list names is there");
}

TEST(Groups, OfAnIndexAndOfATableReadTheSame) {
  TempFolder root;
  write_text(root / "index.txt",
             "## ## ##\r\n## An index: file ::: artist ::: title\r\n\r\na.00000.wav ::: The  Made-Up Five "
             "::: One\r\n"
             "a.00001.wav ::: ::: \r\na.00002.wav ::: Nobody & Sons ::: A Title ::: with marks\r\n"
             "b.00000.wav ::: The Made-Up Five :::\r\nzz.00009.wav ::: Not Here ::: x\r\n");
  write_text(root / "groups.csv",
             "group,path\nThe Made-Up Five,a/a.00000.wav\n,a.00001\nNobody & Sons,a/a.00002.au\n"
             "The Made-Up Five,b/b.00000.wav\n");
  auto t = plain_table({3, 2}, 2);
  t.clips[4].group = "from the manifest";
  const std::vector<std::string> expected{"The Made-Up Five", "", "Nobody & Sons", "The Made-Up Five",
                                          "from the manifest"};
  EXPECT_EQ(groups_of_clips(root / "index.txt", t.clips, t.labels), expected);
  EXPECT_EQ(groups_of_clips(root / "groups.csv", t.clips, t.labels), expected);

  write_text(root / "bad.txt", "a.00000.wav ::: x ::: y\nno marks here\n");
  EXPECT_EQ(complaint([&] { read_groups(root / "bad.txt"); }),
            (root / "bad.txt").string() + ":2: a line of an index reads 'file ::: artist ::: title'");
  write_text(root / "bad.csv", "path,group\na/a.00000.wav,x\na.00000.wav,y\n");
  EXPECT_CONTAINS(complaint([&] { groups_of_clips(root / "bad.csv", t.clips, t.labels); }),
                  "bad.csv:3: 'a.00000.wav' has the group 'y', but 'x' in line 2");
}

TEST(SplitOptions, AreFractionsOrListsOrFolds) {
  EXPECT_EQ(parse("{train: lists/a.txt, validation: b.txt, test: c.txt}").train.list, "/base/lists/a.txt");
  EXPECT_EQ(parse("lists: {train: a.txt, validation: b.txt, test: c.txt}").lists->test, "/base/c.txt");
  EXPECT_EQ(parse("{folds: 5, fold: 4}").folds, 5);
  EXPECT_CONTAINS(complaint([] { parse("train: 0.7"); }),
                  "train, validation and test must add up to 1; 0.7 + 0.2 + 0.2 is 1.1");
  EXPECT_CONTAINS(complaint([] { parse("{train: 1, validation: 0.2}"); }),
                  "train: must be a fraction greater than 0");
  EXPECT_CONTAINS(complaint([] { parse("train: a.txt"); }), "all be fractions or all be lists");
  EXPECT_CONTAINS(complaint([] { parse("folds: 2"); }), "folds must be at least 3");
  EXPECT_CONTAINS(complaint([] { parse("{folds: 3, fold: 3}"); }), "fold must be from 0 to 2, not 3");
  EXPECT_CONTAINS(complaint([] { parse("fold: 1"); }), "fold 1 without folds");
  EXPECT_CONTAINS(complaint([] { parse("{folds: 3, lists: {train: a, validation: b, test: c}}"); }),
                  "exclude each other");
  for (const std::string text :
       {"{folds: 5, fold: 4}", "{train: a.txt, validation: b.txt, test: c.txt}", "{}",
        "lists: {train: a.txt, validation: b.txt, test: c.txt}", "{groups: g.csv, seed: 3}"}) {
    const auto& s = schema(config::of<SplitOptions>{});
    const auto dumped = config::to_yaml(s.dump(parse(text)));
    EXPECT_EQ(config::to_yaml(s.dump(parse(dumped))), dumped);
  }
}

/// GTZAN as the published index names it, without audio.
Table gtzan(const std::filesystem::path& lists) {
  Table t;
  for (const auto& entry : read_groups(lists / "index.txt")) {
    const auto genre = entry.name.substr(0, entry.name.find('.'));
    if (t.labels.empty() || t.labels.back() != genre) t.labels.push_back(genre);
    t.add(std::int32_t(t.labels.size() - 1), 10);
  }
  return t;
}

TEST(PublishedLists, OfGtzanGiveTheirKnownArtistShares) {
  const std::filesystem::path lists = std::filesystem::path(TIMBRE_SHARED_DATA) / "gtzan_lists";
  if (!std::filesystem::exists(lists)) GTEST_SKIP() << "no lists at " << lists;
  const auto t = gtzan(lists);
  ASSERT_EQ(t.clips.size(), 1000u);
  SplitOptions o;
  o.groups = lists / "index.txt";
  o.lists =
      SplitLists{lists / "train_filtered.txt", lists / "test_filtered.txt", lists / "valid_filtered.txt"};
  auto s = t.split(o);
  EXPECT_EQ(s.train.size(), 4430u);
  EXPECT_EQ(s.validation.size(), 1970u);
  EXPECT_EQ(s.test.size(), 2900u);
  EXPECT_EQ(s.lists->in_no_list, 70);
  EXPECT_NEAR(s.artist_share_in_train, 14.0 / 285, 1e-12);
  o.lists = SplitLists{lists / "train_stratified.txt", lists / "test_stratified.txt",
                       lists / "valid_stratified.txt"};
  s = t.split(o);
  EXPECT_NEAR(s.artist_share_in_train, 206.0 / 246, 1e-12);
  EXPECT_EQ(s.lists->in_no_list, 0);
}

TEST(PublishedIndex, OfGtzanMakesAnArtistSplitNearTheFractions) {
  const std::filesystem::path lists = std::filesystem::path(TIMBRE_SHARED_DATA) / "gtzan_lists";
  if (!std::filesystem::exists(lists)) GTEST_SKIP() << "no lists at " << lists;
  const auto t = gtzan(lists);
  SplitOptions o;
  o.groups = lists / "index.txt";
  EXPECT_GT(t.split(o).artist_share_in_train, 0.7);
  o.group_by = "artist";
  for (std::uint64_t seed = 0; seed < 5; ++seed) {
    const auto s = t.split(o, seed);
    EXPECT_EQ(s.artist_share_in_train, 0);
    EXPECT_NEAR(double(s.train.size()), 6000, 200);
    EXPECT_NEAR(double(s.test.size()), 2000, 200);
  }
}

}  // namespace
}  // namespace timbre::data
