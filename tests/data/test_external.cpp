// Clips, rows and stores of tables from elsewhere.
#include <set>

#include "config/node.hpp"
#include "data/external.hpp"
#include "data/feature_formats.hpp"
#include "data/feature_store.hpp"
#include "data/split.hpp"
#include "data/survey.hpp"
#include "support.hpp"

namespace timbre::data {
namespace {

namespace fs = std::filesystem;
using test::complaint;
using test::TempFolder;
using test::tone;
using test::write_text;
using test::write_wav;

const fs::path golden = TIMBRE_TEST_DATA;

class External : public testing::Test {
 protected:
  /// features.external as a configuration in the temporary folder says it.
  void external(const std::string& yaml) {
    const auto node = config::parse_text("{" + yaml + "}", "test", root.path());
    options.external = schema(config::of<features::ExternalOptions>{}).parse(config::Reader(node));
  }
  void table(const std::string& text, const std::string& name = "t.csv") { write_text(root / name, text); }
  FeatureSet load() {
    ThreadPool pool(2);
    index = index_clips(dataset, options);
    auto resolved = options;
    resolve_external(resolved, index);
    return load_features(index, dataset, resolved, root / "store", pool);
  }
  std::vector<std::string> paths(const FeatureSet& set) {
    std::vector<std::string> out;
    for (const auto& c : set.clips) out.push_back(c.path);
    return out;
  }
  bool notes_hold(std::string_view text) const {
    for (const auto& n : index.notes)
      if (n.find(text) != n.npos) return true;
    return false;
  }
  TempFolder root;
  DatasetOptions dataset;
  features::FeatureOptions options;
  ClipIndex index;
};

TEST_F(External, RowsOfOneIdAreTheSegmentsOfAClip) {
  table("id,a,b,label\nz.wav,1,2,rock\na.wav,3,4,jazz\nz.wav,5,6,rock\njazz/b.wav,7,8,jazz\n");
  external("file: t.csv");
  const auto set = load();
  EXPECT_EQ(set.shape, Shape({1, 2}));
  EXPECT_EQ(paths(set), (std::vector<std::string>{"jazz/a.wav", "jazz/b.wav", "rock/z.wav"}));
  EXPECT_EQ(set.label_names, (std::vector<std::string>{"jazz", "rock"}));
  EXPECT_EQ(set.clip, (std::vector<std::int32_t>{0, 1, 2, 2}));
  EXPECT_EQ(set.segment, (std::vector<std::int32_t>{0, 0, 0, 1}));
  EXPECT_EQ(set.label, (std::vector<std::int32_t>{0, 0, 1, 1}));
  EXPECT_EQ(set.features, (std::vector<float>{3, 4, 7, 8, 1, 2, 5, 6}));
  EXPECT_FALSE(set.from_cache);
  EXPECT_TRUE(load().from_cache);
  table("id,a,b,label\nz.wav,1,2,rock\na.wav,3,4,jazz\nz.wav,5,6,rock\njazz/b.wav,7,9,jazz\n");
  EXPECT_EQ(load().features[3], 9);  // another content, another key
}

TEST_F(External, RowsMayBeFramesOfASequenceThatIsPaddedOrCropped) {
  table("id,a,b,label\nx,1,2,r\ny,7,8,s\nx,3,4,r\nx,5,6,r\n");
  external("file: t.csv, rows: frames");
  auto set = load();
  EXPECT_EQ(set.shape, Shape({3, 2}));
  EXPECT_EQ(set.features, (std::vector<float>{1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0, 0}));
  EXPECT_TRUE(notes_hold("segments of 1 to 3 frames are padded to 3"));
  external("file: t.csv, rows: frames, frames: 2, pad: repeat");
  set = load();
  EXPECT_EQ(set.features, (std::vector<float>{1, 2, 3, 4, 7, 8, 7, 8}));
  EXPECT_TRUE(notes_hold("to 2 frames: 1 of 2 segments are padded, 1 cropped"));
  external("file: t.csv, rows: frames, summary: [mean, std]");
  set = load();
  EXPECT_EQ(set.shape, Shape({1, 4}));
  const float deviation = float(std::sqrt(8.0 / 3));
  EXPECT_EQ(set.features, (std::vector<float>{3, 4, deviation, deviation, 7, 8, 0, 0}));
  EXPECT_CONTAINS(complaint([&] { external("file: t.csv, summary: [std, std]"); }),
                  "summary names mean and std, each once");
}

TEST_F(External, AShuffledTableGivesTheSameClipsAsASortedOne) {
  std::vector<std::string> lines;
  for (int i = 0; i < 3000; ++i)
    lines.push_back(fmt::format("{}/c{:03}.wav,{},{}\n", i % 2 ? "rock" : "jazz", i / 6, i, 0.5 * i));
  const auto text = [&] {
    std::string out = "path,a,b\n";
    for (const auto& l : lines) out += l;
    return out;
  };
  table(text());
  external("file: t.csv, rows: frames");
  const auto sorted = load();
  EXPECT_EQ(sorted.shape, Shape({3, 2}));
  EXPECT_EQ(sorted.clips.size(), 1000u);
  // Clips change places; the frames of one keep their order.
  std::vector<std::string> shuffled;
  for (int k = 0; k < 6; ++k)
    for (int i = 0; i < 500; ++i) shuffled.push_back(lines[std::size_t(((i * 7) % 500) * 6 + k)]);
  lines = shuffled;
  table(text());
  EXPECT_EQ(load().features, sorted.features);
}

TEST_F(External, SeveralFilesFollowEachOther) {
  table("id,a,label\nx,1,r\n", "one.csv");
  table("id,a,label\ny,2,s\nx,3,r\n", "two.csv");
  external("file: [one.csv, two.csv]");
  EXPECT_EQ(load().features, (std::vector<float>{1, 3, 2}));
  table("id,b,label\ny,2,s\n", "two.csv");
  EXPECT_CONTAINS(complaint([&] { load(); }), "two.csv: has other columns than");
  table("id,a,b,label\ny,2,3,s\n", "two.csv");
  EXPECT_CONTAINS(complaint([&] { load(); }), "two.csv: has 2 numbers a frame, but");
}

TEST_F(External, LabelsMayBeTheFoldersOfIdsAndBeKeptAndRenamed) {
  table("id,a\nrock/x.wav,1\njazz/y.wav,2\nhop/z.wav,3\nrap/w.wav,4\n");
  external("file: t.csv");
  EXPECT_EQ(load().label_names, (std::vector<std::string>{"hop", "jazz", "rap", "rock"}));
  dataset.labels = LabelOptions{{"rap", "hop", "jazz"}, {{{"rap", "hop"}}}};
  const auto set = load();
  EXPECT_EQ(set.label_names, (std::vector<std::string>{"hop", "jazz"}));
  EXPECT_EQ(set.features, (std::vector<float>{3, 2, 4}));
  EXPECT_TRUE(notes_hold("1 of 4 clips have other labels"));
  dataset.labels = LabelOptions{{"rock", "folk"}, {}};
  EXPECT_CONTAINS(complaint([&] { load(); }), "dataset.labels.keep");  // an unknown label
}

TEST_F(External, AManifestMayGiveLabelsGroupsAndFolds) {
  write_text(root / "m.csv", "path,label,group,fold\na/x.wav,r,p,1\na/y.wav,s,q,2\na/z.wav,s,q,3\n");
  table("file,v\nx.mp3,1\na/y,2\nx.mp3,3\nother.wav,9\n");
  dataset.manifest = root / "m.csv";
  external("file: t.csv, ids: file");
  const auto set = load();
  EXPECT_EQ(paths(set), (std::vector<std::string>{"a/x.wav", "a/y.wav"}));
  EXPECT_EQ(set.features, (std::vector<float>{1, 3, 2}));
  EXPECT_EQ(set.clips[0].group, "p");
  EXPECT_EQ(set.clips[1].fold, 1);
  ASSERT_EQ(set.bad_files.size(), 1u);
  EXPECT_EQ(set.bad_files[0].reason, "the table has no row of it");
  EXPECT_TRUE(notes_hold("1 of 4 rows of the table are of no clip of dataset.manifest (first: 'other.wav')"));
  table("file,v,label\nx.mp3,1,s\n");
  external("file: t.csv, ids: file, labels: label");
  EXPECT_CONTAINS(complaint([&] { load(); }), "t.csv:2: 'x.mp3' has the label 's', but 'r' in the data set");
  table("file,v\nq.mp3,1\n");
  external("file: t.csv, ids: file");
  EXPECT_CONTAINS(complaint([&] { load(); }),
                  "t.csv:2: no row has the ID of a clip of dataset.manifest; the first ID is 'q.mp3'");
}

TEST_F(External, WrongIdsAndLabelsAreToldWithTheirLines) {
  table("id,a,label\nx,1,r\ny,2,s\nx,3,s\n");
  external("file: t.csv");
  EXPECT_CONTAINS(complaint([&] { load(); }), "t.csv:4: the ID 'x' has the label 's', but 'r' in ");
  table("id,a,label\nx,1,r\ny,2,s\nx,3,r\n");
  external("file: t.csv, rows: clips");
  EXPECT_CONTAINS(complaint([&] { load(); }), "t.csv:4: the ID 'x' is in ");
  table("id,a,label\nx,1,r\ny,2,r\n");
  external("file: t.csv");
  EXPECT_CONTAINS(complaint([&] { load(); }), "features.external.labels: ");
  table("id,a\nx,1\ny,2\n");
  EXPECT_CONTAINS(complaint([&] { load(); }),
                  "t.csv:2: has no label: features.external.labels names none, and the ID 'x' has");
  table("a,b\n1,1\n2,2\n");
  EXPECT_CONTAINS(complaint([&] { load(); }), "t.csv: has neither labels nor IDs");
  table("id,a,label\nx,1,r\ny,2,s\n");
  external("file: t.csv, width: 3");
  EXPECT_CONTAINS(complaint([&] { load(); }), "features.external.width: 3 numbers a frame are expected, but");
}

TEST_F(External, TheOriginalsJsonIsCutIntoClipsOfTenRows) {
  std::string labels, rows;
  for (int i = 0; i < 45; ++i) {  // 20 of the first, 25 of the second: the last clip has five
    labels += fmt::format("{}{}", i ? "," : "", i < 20 ? 1 : 0);
    rows += fmt::format("{}[[{}],[{}]]", i ? "," : "", i, -i);
  }
  write_text(root / "t.json", R"({"mapping": ["rock", "blues", "unused"], "labels": [)" + labels +
                                  R"(], "mfcc": [)" + rows + "]}");
  external("file: t.json");
  const auto set = load();
  EXPECT_EQ(set.shape, Shape({2, 1}));
  EXPECT_EQ(paths(set), (std::vector<std::string>{"blues/clip.00000", "blues/clip.00001", "rock/clip.00000",
                                                  "rock/clip.00001", "rock/clip.00002"}));
  EXPECT_EQ(set.label_names, (std::vector<std::string>{"blues", "rock"}));
  EXPECT_EQ(set.clip[9], 0);
  EXPECT_EQ(set.clip[10], 1);
  EXPECT_EQ(set.clip[44], 4);
  EXPECT_EQ(set.features[20], 10);
  EXPECT_TRUE(notes_hold("each 10 rows in a row of one label are taken for a clip (5 clips rebuilt)"));
  EXPECT_TRUE(notes_hold("1 of the rebuilt clips have fewer than 10 rows"));
}

TEST_F(External, ClipsOfTheSameNumbersAreCopiesAndStayTogether) {
  std::string text = "id,label";
  for (int f = 0; f < 20; ++f) text += fmt::format(",f{}", f);
  text += "\n";
  for (int i = 0; i < 40; ++i) {
    text += fmt::format("c{:02},{}", i, i < 20 ? "r" : "s");
    for (int f = 0; f < 20; ++f) text += fmt::format(",{}", (i == 7 ? 3 : i) * 20 + f);  // 7 is 3
    text += "\n";
  }
  table(text);
  external("file: t.csv");
  const auto set = load();
  ThreadPool pool(1);
  const auto survey = survey_clips(index, {}, pool);
  ASSERT_EQ(survey.related.pairs.size(), 1u);
  EXPECT_EQ(survey.related.pairs[0].clip_a, "r/c03");
  EXPECT_EQ(survey.related.pairs[0].clip_b, "r/c07");
  EXPECT_TRUE(survey.related.pairs[0].same_audio);
  const auto expected = expected_table(index, dataset, options, survey);
  EXPECT_EQ(expected.clip, set.clip);
  EXPECT_EQ(expected.label, set.label);
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const auto split = make_split({}, expected, seed);
    EXPECT_EQ(split.clip_parts[3], split.clip_parts[7]);
  }
}

TEST_F(External, ListsFindTheClipsByGenreAndStem) {
  std::string text = "id,a,label\n";
  for (int i = 0; i < 12; ++i) text += fmt::format("{0}.{1:05}.wav,{1},{0}\n", i % 2 ? "blues" : "rock", i);
  table(text);
  write_text(root / "train.txt",
             "rock/rock.00000.au\r\nblues/blues.00001.au\nrock/rock.00002.wav\nblues/blues.00003\n");
  write_text(root / "valid.txt", "rock/rock.00004.au\nblues/blues.00005.au\n");
  write_text(root / "test.txt", "rock/rock.00006.au\nblues/blues.00007.au\nblues/blues.00099.au\n");
  external("file: t.csv");
  const auto set = load();
  SplitOptions o;
  o.lists = SplitLists{root / "train.txt", root / "test.txt", root / "valid.txt"};
  const auto split = make_split(o, set, 0);
  EXPECT_EQ(split.train.size(), 4u);
  EXPECT_EQ(split.validation.size(), 2u);
  EXPECT_EQ(split.test.size(), 2u);
  EXPECT_EQ(split.lists->not_on_disk, 1);
}

TEST_F(External, WhatExtractFeaturesWritesIsReadBackWithTheSameNumbers) {
  for (int i = 0; i < 4; ++i) {
    write_wav(root / fmt::format("data/blues/b{}.wav", i), tone(1.2 + 0.5 * i, i));
    write_wav(root / fmt::format("data/rock/r{}.wav", i), tone(0.6 + 0.25 * i, 20 + i));
  }
  DatasetOptions audio;
  audio.path = root / "data", audio.segment_seconds = 0.5;
  features::FeatureOptions mfcc;
  mfcc.sample_rate = 8000, mfcc.n_fft = 512, mfcc.hop_length = 256, mfcc.n_mels = 20, mfcc.n_mfcc = 5;
  ThreadPool pool(2);
  const auto own = load_features(index_clips(audio), audio, mfcc, root / "store", pool);
  for (const auto* format : {"npz", "csv", "json", "h5"}) {
    const auto file = root / ("f." + std::string(format));
    if (std::string(format) == "h5")
      write_feature_file(file, own, audio, mfcc);
    else
      write_feature_table(file, format, own, mfcc);
    external("file: f." + std::string(format));
    const auto set = load();
    EXPECT_EQ(set.features, own.features) << format;
    EXPECT_EQ(set.label, own.label) << format;
    EXPECT_EQ(set.clip, own.clip) << format;
    EXPECT_EQ(set.segment, own.segment) << format;
    EXPECT_EQ(set.label_names, own.label_names) << format;
    EXPECT_EQ(paths(set), paths(own)) << format;
    if (std::string(format) == "csv")
      EXPECT_EQ(set.shape, Shape({1, own.shape.size()}));
    else
      EXPECT_EQ(set.shape, own.shape) << format;
  }
}

TEST_F(External, TheStoreOfNumpysArraysIsTheirNumbers) {
  external("file: " + (golden / "external_stored.npz").string());
  const auto set = load();
  EXPECT_EQ(set.shape, Shape({5, 3}));
  EXPECT_EQ(set.clips.size(), 6u);
  EXPECT_EQ(set.clips[0].group, "Béla");
  ASSERT_EQ(set.features.size(), 180u);
  for (std::size_t i = 0; i < 180; ++i) EXPECT_EQ(set.features[i], float(double(i) / 7));
}

TEST_F(External, OtherKeysOfFeaturesDoNotApply) {
  const auto parse = [&](const std::string& yaml) {
    const auto node = config::parse_text(yaml, "test", root.path());
    return schema(config::of<features::FeatureOptions>{}).parse(config::Reader(node));
  };
  EXPECT_CONTAINS(complaint([&] { parse("{external: {file: x.csv}, n_fft: 1024}"); }),
                  "external and n_fft exclude each other");
  EXPECT_TRUE(parse("{external: {file: x.csv}, standardise: true}").standardise);
  EXPECT_CONTAINS(complaint([&] { parse("{external: {}}"); }), "the key 'file' is missing");
}

}  // namespace
}  // namespace timbre::data
