#include <algorithm>
#include <limits>
#include <set>
#include <thread>

#include "data/feature_store.hpp"
#include "storage/hdf5.hpp"
#include "support.hpp"

namespace timbre::data {
namespace {

using test::complaint;
using test::TempFolder;
using test::tone;
using test::write_text;
using test::write_wav;

/// A small data set of two genres, and quick features: 8 kHz, segments of 0.5 s, 16 frames of 5 coefficients.
class Store : public testing::Test {
 protected:
  Store() {
    for (int i = 0; i < 6; ++i) {
      write_wav(root / fmt::format("data/blues/b{}.wav", i), tone(1.2 + 0.5 * i, i));
      write_wav(root / fmt::format("data/rock/r{}.wav", i), tone(0.5 + 0.25 * i, 20 + i));
    }
    dataset.path = root / "data";
    dataset.segment_seconds = 0.5;
    options.sample_rate = 8000, options.n_fft = 512, options.hop_length = 256;
    options.n_mels = 20, options.n_mfcc = 5;
  }
  FeatureSet load(int threads = 2, const ExtractionHooks& hooks = {}) {
    ThreadPool pool(threads);
    return load_features(index_clips(dataset), dataset, options, root / "store", pool, hooks);
  }
  std::vector<std::string> stored() {
    std::vector<std::string> out;
    if (std::filesystem::exists(root / "store"))
      for (const auto& entry : std::filesystem::directory_iterator(root / "store"))
        out.push_back(entry.path().filename().string());
    return out;
  }
  TempFolder root;
  DatasetOptions dataset;
  features::FeatureOptions options;
};

TEST_F(Store, RowsStandInTheOrderOfClipsAndSegments) {
  const auto set = load();
  EXPECT_EQ(set.shape, Shape({16, 5}));
  EXPECT_FALSE(set.from_cache);
  EXPECT_EQ(set.label_names, (std::vector<std::string>{"blues", "rock"}));
  ASSERT_EQ(set.clips.size(), 12u);
  EXPECT_EQ(set.clips[6].path, "rock/r0.wav");
  // Whole segments of each clip: 1.2 s ... 3.7 s, then 0.5 s ... 1.75 s.
  std::vector<std::int32_t> clip, segment, label;
  const std::vector<int> counts{2, 3, 4, 5, 6, 7, 1, 1, 2, 2, 3, 3};
  for (std::size_t c = 0; c < counts.size(); ++c)
    for (int s = 0; s < counts[c]; ++s)
      clip.push_back(std::int32_t(c)), segment.push_back(s), label.push_back(c >= 6);
  EXPECT_EQ(set.clip, clip);
  EXPECT_EQ(set.segment, segment);
  EXPECT_EQ(set.label, label);

  // Row 9: the fourth clip's first segment, computed by itself.
  ASSERT_EQ(set.features.size(), clip.size() * 80);
  const auto samples = audio::read_all(set.clips[3].file, 8000);
  std::vector<float> row(80);
  features::make_cpu_feature_engine(options, 4000)->compute(samples.data(), 1, row.data());
  EXPECT_TRUE(std::equal(row.begin(), row.end(), set.features.begin() + 9 * 80));
}

TEST_F(Store, IsReadTheSecondTime) {
  const auto first = load();
  int extracted = 0;
  const auto second = load(1, {[&](std::int64_t, std::int64_t) { ++extracted; }, {}});
  EXPECT_TRUE(second.from_cache);
  EXPECT_EQ(extracted, 0);
  EXPECT_EQ(second.features, first.features);
  EXPECT_EQ(second.clip, first.clip);
  EXPECT_EQ(second.key, first.key);
  EXPECT_EQ(stored(), std::vector<std::string>{first.key + ".h5"});
}

TEST_F(Store, HoldsTheSameBytesForAnyNumberOfThreads) {
  std::vector<FeatureSet> sets;
  for (const int threads : {1, 2, 4}) {
    std::filesystem::remove_all(root / "store");
    sets.push_back(load(threads));
    EXPECT_FALSE(sets.back().from_cache);
  }
  for (const auto& set : sets) {
    EXPECT_EQ(set.features, sets[0].features);
    EXPECT_EQ(set.segment, sets[0].segment);
    EXPECT_EQ(set.key, sets[0].key);
  }
}

TEST_F(Store, KeyFollowsContentAndOptions) {
  ThreadPool pool(2);
  const auto key = [&] { return content_key(index_clips(dataset), dataset, options, pool); };
  std::set<std::string> keys{key()};
  options.standardise = true;  // not part of extraction
  EXPECT_EQ(key(), *keys.begin());
  options.n_mfcc = 6;
  keys.insert(key());
  dataset.segment_seconds = 0.4;
  keys.insert(key());
  write_wav(root / "data/blues/b0.wav", tone(1.2, 99));
  keys.insert(key());
  std::filesystem::rename(root / "data/blues/b0.wav", root / "data/blues/b9.wav");
  keys.insert(key());
  EXPECT_EQ(keys.size(), 5u);
}

TEST_F(Store, ThatIsDamagedIsMadeAgain) {
  const auto first = load();
  const auto whole = std::filesystem::file_size(first.file);
  std::filesystem::resize_file(first.file, whole / 2);
  auto again = load();
  EXPECT_FALSE(again.from_cache);
  ASSERT_EQ(again.notes.size(), 1u);
  EXPECT_CONTAINS(again.notes[0], first.file.string());
  EXPECT_CONTAINS(again.notes[0], "the features are extracted again");
  EXPECT_EQ(again.features, first.features);

  // One flipped bit in the features.
  {
    std::fstream file(first.file, std::ios::in | std::ios::out | std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(file), {}};
    const auto at = bytes.find(std::string(reinterpret_cast<const char*>(first.features.data()), 64));
    ASSERT_NE(at, bytes.npos);
    file.clear();
    file.seekp(std::streamoff(at) + 5);
    file.put(static_cast<char>(bytes[at + 5] ^ 1));
  }
  again = load();
  EXPECT_FALSE(again.from_cache);
  EXPECT_CONTAINS(again.notes.at(0), "checksum");
  EXPECT_EQ(again.features, first.features);
  write_text(first.file, "not HDF5");
  EXPECT_EQ(load().features, first.features);
  EXPECT_TRUE(load().from_cache);
}

TEST_F(Store, BadFilesAreListedWithTheirReasons) {
  write_text(root / "data/blues/empty.wav", "");
  write_text(root / "data/blues/text.wav", "this is no music");
  write_wav(root / "data/rock/short.wav", tone(0.3, 1));
  auto samples = tone(2, 1);
  samples[9000] = std::numeric_limits<float>::quiet_NaN();
  write_wav(root / "data/rock/nan.wav", samples, 8000, true);
  std::filesystem::create_symlink("gone.wav", root / "data/rock/a link.wav");
  for (int i = 0; i < 2; ++i) {  // extracted, then read from the store
    const auto set = load();
    EXPECT_EQ(set.from_cache, i == 1);
    EXPECT_EQ(set.clips.size(), 12u);
    ASSERT_EQ(set.bad_files.size(), 5u);
    const auto expect = [&](std::size_t n, const std::string& path, std::string_view reason) {
      EXPECT_EQ(set.bad_files[n].path, path);
      EXPECT_CONTAINS(set.bad_files[n].reason, reason);
    };
    expect(0, "blues/empty.wav", "empty");
    expect(1, "blues/text.wav", "not audio");
    expect(2, "rock/a link.wav", "no such file");
    expect(3, "rock/nan.wav", "NaN");
    expect(4, "rock/short.wav", "shorter than one segment of 0.5 s (4000 samples): 0.3 s");
  }
}

TEST_F(Store, BadFilesCanBeErrors) {
  write_text(root / "data/blues/empty.wav", "");
  write_text(root / "data/rock/text.wav", "this is no music");
  load();
  dataset.on_bad_file = "error";  // also where the store knows them already
  EXPECT_CONTAINS(complaint<Error>([&] { load(); }), "blues/empty.wav: empty");
  std::filesystem::remove_all(root / "store");
  EXPECT_CONTAINS(complaint<Error>([&] { load(4); }), "blues/empty.wav: empty");
}

TEST_F(Store, AClassOfBadFilesOnlyIsRefused) {
  write_text(root / "data/zydeco/a.wav", "x");
  write_text(root / "data/zydeco/b.wav", "y");
  EXPECT_CONTAINS(complaint([&] { load(); }),
                  "no clip of the class 'zydeco' can be used, for example zydeco/a.wav: ");
  EXPECT_TRUE(stored().empty());
}

TEST_F(Store, ExtractionThatIsStoppedLeavesNothing) {
  const ExtractionHooks hooks{[](std::int64_t done, std::int64_t) {
                                if (done == 3) throw Interrupted(2);
                              },
                              {}};
  for (const int threads : {1, 3}) EXPECT_THROW(load(threads, hooks), Interrupted);
  EXPECT_TRUE(stored().empty());
  int calls = 0;
  const auto check = [&] {
    if (++calls > 30) throw Interrupted(15);
  };
  EXPECT_THROW(load(1, {{}, check}), Interrupted);
  EXPECT_TRUE(stored().empty());
  std::int64_t last = 0;
  const auto count = [&](std::int64_t done, std::int64_t total) {
    EXPECT_EQ(done, ++last);
    EXPECT_EQ(total, 12);
  };
  load(3, {count, {}});
  EXPECT_EQ(last, 12);
}

TEST_F(Store, FilesThatVanishOrChangeMeanwhileAreNotStoredAsTheyWere) {
  const auto victim = root / "data/rock/victim.wav";
  write_wav(victim, tone(1.2, 50));
  const auto when_first_is_done = [&](auto act) {
    return ExtractionHooks{[act](std::int64_t done, std::int64_t) {
                             if (done == 1) act();
                           },
                           {}};
  };
  for (const char* mode : {"skip", "error"}) {
    dataset.on_bad_file = mode;
    const auto vanish = when_first_is_done([&] { std::filesystem::rename(victim, root / "away.wav"); });
    EXPECT_CONTAINS(complaint<Error>([&] { load(1, vanish); }),
                    "rock/victim.wav: vanished while the features were extracted");
    EXPECT_TRUE(stored().empty());
    std::filesystem::rename(root / "away.wav", victim);
  }
  const auto change = when_first_is_done([&] { write_wav(victim, tone(2.2, 51)); });
  EXPECT_CONTAINS(complaint<Error>([&] { load(1, change); }),
                  "rock/victim.wav: changed while the features were extracted");
  EXPECT_TRUE(stored().empty());
  EXPECT_TRUE(load().bad_files.empty());
}

TEST_F(Store, LocksAndTemporariesOfKilledProcessesGo) {
  const auto file = load().file;
  write_text(root / "store" / (file.stem().string() + ".lock"), "");
  EXPECT_TRUE(load().from_cache);
  EXPECT_FALSE(std::filesystem::exists(root / "store" / (file.stem().string() + ".lock")));
  write_text(root / "store/.tmp-0123.h5-1-0", "of another key");
  std::filesystem::remove(file);
  load();
  EXPECT_FALSE(std::filesystem::exists(root / "store/.tmp-0123.h5-1-0"));
}

TEST_F(Store, SeveralThatWantTheSameExtractItOnce) {
  std::vector<FeatureSet> sets(3);
  std::vector<std::thread> threads;
  for (auto& set : sets) threads.emplace_back([&] { set = load(1); });
  for (auto& t : threads) t.join();
  EXPECT_EQ(std::count_if(sets.begin(), sets.end(), [](const auto& s) { return !s.from_cache; }), 1);
  for (const auto& set : sets) EXPECT_EQ(set.features, sets[0].features);
  EXPECT_EQ(stored().size(), 1u);
}

TEST_F(Store, SameFileUnderTwoNamesIsNoted) {
  std::filesystem::copy_file(root / "data/blues/b0.wav", root / "data/blues/copy.wav");
  EXPECT_CONTAINS(load().notes.at(0),
                  "1 clip holds the same bytes as another (blues/b0.wav = blues/copy.wav)");
}

TEST_F(Store, FeatureFileHasTheLayoutOfTheContract) {
  write_text(root / "data/rock/text.wav", "this is no music");
  ThreadPool pool(2);
  const auto table = prepare_features(index_clips(dataset), dataset, options, root / "store", pool);
  write_feature_file(root / "out/features.h5", table, dataset, options);
  const auto file = storage::H5File::open(root / "out/features.h5");
  EXPECT_EQ(file.shape("/features"), Shape({table.rows(), 16, 5}));
  EXPECT_EQ(file.type_name("/features"), "float32");
  EXPECT_EQ(file.read_floats("/features"), load().features);
  EXPECT_EQ(file.read_ints("/label"), table.label);
  EXPECT_EQ(file.read_ints("/clip"), table.clip);
  EXPECT_EQ(file.read_ints("/segment"), table.segment);
  EXPECT_EQ(file.read_texts("/clips/path").at(11), "rock/r5.wav");
  EXPECT_EQ(file.read_ints("/clips/label").at(11), 1);
  EXPECT_EQ(file.read_texts("/clips/group").at(11), "");
  EXPECT_EQ(file.read_texts("/label_names"), table.label_names);
  EXPECT_EQ(file.read_texts("/bad_files/path"), std::vector<std::string>{"rock/text.wav"});
  EXPECT_EQ(file.int_attribute("/", "n_fft"), 512);
  EXPECT_EQ(file.text_attribute("/", "kind"), "mfcc");
  EXPECT_EQ(file.double_attribute("/", "segment_seconds"), 0.5);
  EXPECT_EQ(file.text_attribute("/", "fmax"), "none");
}

TEST_F(Store, SyntheticClipsAreExtractedToo) {
  dataset.path.reset();
  dataset.synthetic.emplace();
  dataset.synthetic->clips_per_genre = 1;
  dataset.synthetic->clip_seconds = 1;
  EXPECT_CONTAINS(complaint([&] { load(); }), "features.sample_rate must be 22050, not 8000");
  options.sample_rate = 22050;
  const auto set = load();
  EXPECT_TRUE(set.synthetic);
  EXPECT_EQ(set.rows(), 20);
  EXPECT_TRUE(load().from_cache);
  dataset.synthetic->seed = 1;
  EXPECT_FALSE(load().from_cache);
}

TEST_F(Store, OneFileIsExtractedInBatchesAsTheStoreDoes) {
  const auto set = load();
  std::vector<float> rows;
  std::int64_t samples = 0;
  const auto consume = [&](std::span<const float> batch, std::int64_t first) {
    EXPECT_EQ(std::size_t(first) * 80, rows.size());
    rows.insert(rows.end(), batch.begin(), batch.end());
  };
  const auto engine = features::make_cpu_feature_engine(options, 4000);
  SegmentBuffers buffers;
  EXPECT_EQ(extract_file(audio::AudioReader(set.clips[5].file, 8000), *engine, {.samples = 4000, .hop = 4000},
                         buffers, consume, &samples),
            7);
  EXPECT_EQ(samples, 29600);
  EXPECT_TRUE(std::equal(rows.begin(), rows.end(), set.features.begin() + 20 * 80));
}

TEST(RealMusic, OfTheMiniSetIsExtracted) {
  DatasetOptions dataset;
  dataset.path = std::filesystem::path(TIMBRE_SHARED_DATA) / "gtzan_mini";
  if (!std::filesystem::exists(*dataset.path)) GTEST_SKIP() << "no music at " << *dataset.path;
  TempFolder root;
  auto index = index_clips(dataset);
  ASSERT_EQ(index.clips.size(), 100u);
  EXPECT_EQ(index.label_names.front(), "blues");
  // Two clips of each genre are enough here.
  std::erase_if(index.clips, [](const Clip& c) { return c.path[c.path.size() - 5] > '1'; });
  ThreadPool pool(2);
  features::FeatureOptions options;
  options.n_mfcc = 13;
  const auto set = load_features(index, dataset, options, root / "store", pool);
  EXPECT_EQ(set.shape, Shape({130, 13}));
  EXPECT_EQ(set.clips.size(), 20u);
  EXPECT_TRUE(set.bad_files.empty());
  EXPECT_GE(set.rows(), 100);
  EXPECT_TRUE(
      std::all_of(set.features.begin(), set.features.end(), [](float v) { return std::isfinite(v); }));
}

}  // namespace
}  // namespace timbre::data
