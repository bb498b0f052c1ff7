#include "data/clips.hpp"
#include "support.hpp"

namespace timbre::data {
namespace {

using test::complaint;
using test::TempFolder;
using test::write_text;

std::vector<std::string> paths_of(const ClipIndex& index) {
  std::vector<std::string> out;
  for (const auto& clip : index.clips) out.push_back(clip.path);
  return out;
}
ClipIndex index_tree(const std::filesystem::path& root) {
  DatasetOptions options;
  options.path = root;
  return index_clips(options);
}
ClipIndex index_manifest(const std::filesystem::path& file) {
  DatasetOptions options;
  options.manifest = file;
  return index_clips(options);
}
DatasetOptions parse(const std::string& text) {
  const auto node = config::parse_text(text, "f.yaml", "/base");
  return schema(config::of<DatasetOptions>{}).parse(node);
}

TEST(Tree, HoldsTheAudioFilesOfGenreFoldersInOrder) {
  TempFolder root;
  for (const auto* name :
       {"rock/b.WAV", "rock/a.au", "rock/._a.au", "rock/.hidden.wav", "rock/notes.txt", "rock/deeper/c.wav",
        "Jazz/x.flac", "Jazz/y.Mp3", "Jazz/z.ogg", ".git/q.wav", "loose.wav", "pictures/p.png"})
    write_text(root / name, "x");
  std::filesystem::create_directory_symlink(root / "rock", root / "metal");
  const auto index = index_tree(root.path());
  EXPECT_EQ(index.label_names, (std::vector<std::string>{"Jazz", "metal", "rock"}));
  EXPECT_EQ(paths_of(index),
            (std::vector<std::string>{"Jazz/x.flac", "Jazz/y.Mp3", "Jazz/z.ogg", "metal/a.au", "metal/b.WAV",
                                      "rock/a.au", "rock/b.WAV"}));
  EXPECT_EQ(index.clips[0].label, 0);
  EXPECT_EQ(index.clips[6].label, 2);
  EXPECT_EQ(index.clips[6].file, std::filesystem::absolute(root / "rock/b.WAV"));
  ASSERT_EQ(index.notes.size(), 1u);
  EXPECT_EQ(index.notes[0], "pictures/ holds no audio files and is no class");
}

TEST(Tree, ThatIsNotThereSaysWhereAndHowToGetOne) {
  TempFolder root;
  const auto said = complaint([&] { index_tree(root / "gtzan/genres_original"); });
  EXPECT_CONTAINS(said, (root / "gtzan/genres_original").string());
  EXPECT_CONTAINS(said, "GTZAN Dataset - Music Genre Classification");
  EXPECT_CONTAINS(said, "--set dataset.synthetic={}");
  EXPECT_EQ(said.find('\n'), said.npos);
  EXPECT_CONTAINS(complaint([&] { index_tree("not/there"); }),
                  std::filesystem::absolute("not/there").string());
}

TEST(Tree, ThatIsOfNoUseSaysWhy) {
  TempFolder root;
  EXPECT_CONTAINS(complaint([&] { index_tree(root.path()); }), "there are no audio files");
  write_text(root / "one.wav", "x");
  EXPECT_CONTAINS(complaint([&] { index_tree(root.path()); }), "lie directly in it");
  EXPECT_CONTAINS(complaint([&] { index_tree(root / "one.wav"); }), "is a file");
  write_text(root / "genres_original/blues/a.wav", "x");
  EXPECT_CONTAINS(complaint([&] { index_tree(root.path()); }),
                  "did you mean " + (root / "genres_original").string());
  EXPECT_CONTAINS(complaint([&] { index_tree(root / "genres_original"); }), "a single class, 'blues'");
}

TEST(Manifest, ColumnsComeInAnyOrderAndPathsResolveAgainstTheFile) {
  TempFolder root;
  write_text(root / "sub/list.csv",
             "\xEF\xBB\xBFlabel,fold,path,group\r\nrock,1,../music/b.wav,\"Ann, Bob\"\r\n\"jazz\",,a.wav,\r\n"
             "rock,0,/far/c.au,Cy\r\n");
  const auto index = index_manifest(root / "sub/list.csv");
  EXPECT_EQ(index.label_names, (std::vector<std::string>{"jazz", "rock"}));
  EXPECT_EQ(paths_of(index), (std::vector<std::string>{"../music/b.wav", "/far/c.au", "a.wav"}));
  EXPECT_EQ(index.clips[0].file, root / "music/b.wav");
  EXPECT_EQ(index.clips[0].group, "Ann, Bob");
  EXPECT_EQ(index.clips[0].fold, 1);
  EXPECT_EQ(index.clips[0].label, 1);
  EXPECT_EQ(index.clips[1].file, "/far/c.au");
  EXPECT_EQ(index.clips[2].fold, -1);
  EXPECT_EQ(index.clips[2].label, 0);
}

TEST(Manifest, ErrorsNameFileAndLine) {
  TempFolder root;
  const auto file = root / "m.csv";
  const auto said = [&](std::string_view text) {
    write_text(file, text);
    return complaint([&] { index_manifest(file); });
  };
  const auto name = file.string();
  EXPECT_EQ(said("path,lable\na,b\n"),
            name +
                ":1: the column 'label' is missing; a manifest has path,label[,group][,fold]; did you mean "
                "'lable'?");
  EXPECT_EQ(said("path,group\na,b\n"),
            name + ":1: the column 'label' is missing; a manifest has path,label[,group][,fold]");
  EXPECT_EQ(said("path,label,path\na,b,c\n"), name + ":1: the column 'path' is there twice");
  EXPECT_EQ(said("path,label\n\na.wav,\n"), name + ":3: the label is empty");
  EXPECT_EQ(said("path,label,\na.wav,x,1\n"), name + ":1: column 3 has no name");
  EXPECT_EQ(said("path,label\na.wav,x\nb.wav,y\n./a.wav,y\n"),
            name + ":4: './a.wav' stands in line 2 already");
  EXPECT_EQ(said("path,label\na.wav,x\n"),
            "dataset.manifest: " + name + " holds a single class, 'x'; a classifier needs at least two");
  EXPECT_EQ(said("path,label\n"), name + ":1: no clips below the header");
  EXPECT_CONTAINS(complaint([&] { index_manifest(root / "none.csv"); }),
                  "there is no file at " + (root / "none.csv").string());
}

TEST(Manifest, KeepsFurtherColumnsAndFoldsOfAnyName) {
  TempFolder root;
  const auto file = root / "m.csv";
  write_text(file, "path,speaker,label,fold,take\nb.wav,ann,x,e,1\na.wav,bob,y,a,\nc.wav,ann,x,,3\n");
  const auto index = index_manifest(file);
  EXPECT_EQ(index.names.columns, (std::vector<std::string>{"speaker", "take"}));
  EXPECT_EQ(index.names.folds, (std::vector<std::string>{"a", "e"}));
  ASSERT_EQ(index.clips.size(), 3u);
  EXPECT_EQ(index.clips[0].columns, (std::vector<std::string>{"bob", ""}));
  EXPECT_EQ(index.clips[1].columns, (std::vector<std::string>{"ann", "1"}));
  EXPECT_EQ(index.clips[0].fold, 0);
  EXPECT_EQ(index.clips[1].fold, 1);
  EXPECT_EQ(index.clips[2].fold, -1);
  write_text(file, "path,label,fold\na.wav,x,10\nb.wav,y,9\nc.wav,y,1\n");
  EXPECT_EQ(index_manifest(file).names.folds, (std::vector<std::string>{"1", "9", "10"}));
}

TEST(Labels, AreKeptAndRenamed) {
  TempFolder root;
  const auto file = root / "m.csv";
  write_text(file, "path,label\na.wav,hip hop\nb.wav,hiphop\nc.wav,rock\nd.wav,noise\n");
  const auto index_with = [&](const std::string& labels) {
    return index_clips(parse("manifest: " + file.string() + "\nlabels: " + labels));
  };
  const auto index = index_with("{keep: [hip hop, hiphop, rock], rename: {hiphop: hip hop, rock: a rock}}");
  EXPECT_EQ(index.label_names, (std::vector<std::string>{"a rock", "hip hop"}));
  ASSERT_EQ(index.clips.size(), 3u);
  EXPECT_EQ(index.clips[0].label, 1);
  EXPECT_EQ(index.clips[1].label, 1);
  EXPECT_EQ(index.clips[2].label, 0);
  ASSERT_EQ(index.notes.size(), 1u);
  EXPECT_CONTAINS(index.notes[0], "1 of 4 clips have other labels");
  EXPECT_EQ(index_with("{}").clips.size(), 4u);
  EXPECT_CONTAINS(complaint([&] { index_with("{keep: [rok, noise]}"); }),
                  "dataset.labels.keep: there is no label 'rok'; did you mean 'rock'?");
  EXPECT_CONTAINS(complaint([&] { index_with("{rename: {pop: rock}}"); }),
                  "dataset.labels.rename: there is no label");
  EXPECT_CONTAINS(complaint([&] { index_with("{keep: [rock]}"); }), "holds a single class, 'rock'");
}

TEST(Labels, OfSyntheticGenresKeepTheirSounds) {
  const auto all = index_clips(parse("synthetic: {clips_per_genre: 2}"));
  const auto some = index_clips(
      parse("synthetic: {clips_per_genre: 2}\nlabels: {keep: [synthetic_pluck, synthetic_march]}"));
  ASSERT_EQ(some.clips.size(), 4u);
  for (const auto& clip : some.clips) {
    const auto same =
        std::find_if(all.clips.begin(), all.clips.end(), [&](const Clip& c) { return c.path == clip.path; });
    ASSERT_NE(same, all.clips.end());
    EXPECT_EQ(clip.genre, same->label);
    EXPECT_EQ(some.label_names[std::size_t(clip.label)], all.label_names[std::size_t(same->label)]);
  }
}

TEST(Dataset, NamesOneKindOfData) {
  EXPECT_EQ(*parse("path: x").path, "/base/x");
  EXPECT_TRUE(parse("synthetic: {}").synthetic.has_value());
  EXPECT_CONTAINS(complaint([] { parse("path: x\nsynthetic: {}"); }),
                  "path and synthetic exclude each other");
  EXPECT_CONTAINS(complaint([] { parse("segment_seconds: 3"); }), "give one of: path");
  EXPECT_CONTAINS(complaint([] { parse("path: x\nsegment_seconds: 0"); }),
                  "segment_seconds: must be greater than 0");
  EXPECT_EQ(parse("path: x").segment_samples(22050), 66150);
  // What is resolved reads back as the same.
  const auto dumped = config::to_yaml(schema(config::of<DatasetOptions>{}).dump(parse("path: x")));
  EXPECT_EQ(*parse(dumped).path, "/base/x");
}

TEST(Dataset, SyntheticClipsAreTenGenres) {
  DatasetOptions options;
  options.synthetic.emplace();
  options.synthetic->clips_per_genre = 3;
  const auto index = index_clips(options);
  EXPECT_TRUE(index.synthetic);
  EXPECT_EQ(index.label_names.size(), 10u);
  ASSERT_EQ(index.clips.size(), 30u);
  EXPECT_EQ(index.clips[4].label, 1);
  EXPECT_EQ(index.clips[4].number, 1);
}

TEST(AudioNames, EndInAKnownExtensionInAnyCase) {
  EXPECT_EQ(without_audio_extension("blues/blues.00000.au"), "blues/blues.00000");
  EXPECT_EQ(without_audio_extension("blues/blues.00000"), "blues/blues.00000");
  EXPECT_TRUE(is_audio_name("x.FLAC"));
  EXPECT_FALSE(is_audio_name("x.txt"));
  EXPECT_FALSE(is_audio_name("._x.wav"));
}

}  // namespace
}  // namespace timbre::data
